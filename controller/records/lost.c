/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records that were lost while nobody led who knew them. The pod runs on, and what it says of itself is no proof. Its
 * node is asked, by a record without an address; the answer is taken if the address can be that card's.
 */
#include <stdio.h>
#include <stdlib.h>

#include "controller/records/internal.h"
#include "controller/records/question.h"
#include "controller/records/requests.h"
#include "controller/rules/spec.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

bool entry_could_have_card(const struct entry *entry)
{
	const struct api_pod *pod = entry->pod;

	return pod->has_ip && !api_pod_is_over(pod) && !pod->host_network && !pod->is_static &&
	       !str_eq(entry->cardless, pod->meta.uid);
}

/*
 * Whatever the pod may not have today: a namespace's labels, a subnet's selectors and annotations change under cards
 * that are there. The node knows.
 */
bool entry_may_ask(struct entry *entry, struct subnet **out)
{
	const char *name = entry->pod->annotations.text[API_ASKED_SUBNET];

	*out = name ? subnets_find(entry->all->in.subnets, name) : NULL;
	return entry_could_have_card(entry) && *out && subnet_spec(*out) &&
	       subnet_state(*out) >= SUBNET_SETTLING && subnet_lost_some(*out);
}

void entry_count_lost(struct entry *entry, enum records_lost result)
{
	if (entry->lost_told != result)
		entry->all->n_lost[result]++;
	entry->lost_told = result == RECORDS_LOST_RESTORED ? RECORDS_LOST_NONE : result;
}

void entry_ask(struct entry *entry, struct subnet *subnet)
{
	log_info("record was lost: the node is asked for the pod's card", "pod", entry->key, "node",
		 entry->pod->node);
	entry_count_lost(entry, RECORDS_LOST_ASKED);
	requests_create_asking(entry, subnet_name(subnet), subnet_network(subnet));
}

/* The node's answer as a record; NULL, or why it cannot be one. */
static const char *take(struct subnet *subnet, const struct api_ip *rec, struct api_ip *to)
{
	const struct api_subnet *spec = subnet_spec(subnet);
	const struct api_ip_told *told = &rec->told;

	for (size_t i = 0; i < ARRAY_SIZE(told->ips) && ip_is_set(&told->ips[i]); i++) {
		const struct ip_addr *a = &told->ips[i];
		bool first = ip_net_has(&spec->v.cidr, a);
		struct ip_net *net = first ? &to->cidr : &to->cidr6;
		const char *why = subnet_may_restore(subnet, a);

		if (why)
			return why;
		if (ip_is_set(&net->addr))
			return "it has two addresses of one family";
		*net = (struct ip_net){*a, first ? spec->v.cidr.prefix : spec->v6.cidr.prefix};
	}
	if (!ip_is_set(&to->cidr.addr))
		return "the MacvlanSubnet does not give it";
	if (!mac_is_usable(&told->mac) ||
	    (api_ip_has_own_mac(rec) && subnet_mac_taken(subnet, &told->mac, rec->meta.uid)))
		return "that MAC is another pod's, or none";
	to->mac = told->mac;
	return NULL;
}

static void refuse(struct entry *entry, const struct api_ip *rec, const char *why)
{
	char msg[500], addr[IP_ADDR_LEN], mac[MAC_ADDR_LEN];

	entry_count_lost(entry, RECORDS_LOST_REFUSED);
	snprintf(
		msg, sizeof(msg),
		"the pod's MacvlanIP was lost, and node %.63s reports a card with %s, MAC %s, but %s; "
		"the card stays as it is and is not published; recreate the pod",
		rec->node, ip_format(&rec->told.ips[0], addr), mac_format(&rec->told.mac, mac),
		why);
	entry_tell(entry, DECIDE_CARD_REFUSED, msg);
}

static void take_in(struct entry *entry, struct subnet *subnet, const struct api_ip *rec)
{
	AUTO(api_ip_free) struct api_ip *to = spec_copy(rec);
	const char *why = take(subnet, rec, to);

	if (why) {
		refuse(entry, rec, why);
		return;
	}
	log_info("record is made again by the node's word", "record", entry->key, "node",
		 rec->node);
	entry->lost = STEAL(to);
	entry->all->answered = true;
	entry_claim(entry);
	subnet_adopt(subnet, &entry->lost->cidr.addr, entry->lost);
	subnet_adopt(subnet, &entry->lost->cidr6.addr, entry->lost);
	entry_mark(entry);
}

static void wait_for_node(struct entry *entry, const struct api_ip *rec)
{
	int64_t now_ms = clock_now_ms(), due_ms;
	char msg[400];

	if (!entry->asked_ms)
		entry->asked_ms = now_ms;
	due_ms = entry->asked_ms + entry->all->in.opt->rules.missing_after_ms;
	if (now_ms < due_ms) {
		entry_wake(entry, due_ms - now_ms);
		return;
	}
	entry_count_lost(entry, RECORDS_LOST_UNANSWERED);
	snprintf(
		msg, sizeof(msg),
		"the pod's MacvlanIP was lost, and node %.63s does not say which card the pod has, so it "
		"is not published; check that tandem-node runs there, or recreate the pod",
		rec->node);
	entry_tell(entry, DECIDE_CARD_UNKNOWN, msg);
}

void entry_asked(struct entry *entry, const struct api_ip *rec)
{
	struct subnet *subnet = subnets_find(entry->all->in.subnets, rec->subnet);

	if (!subnet || !subnet_spec(subnet))
		return;
	if (subnet_state(subnet) < SUBNET_READY) {
		/* The node was faster than our first write, and nobody else has this looked at. */
		entry_wake(entry, 100);
	} else if (!api_ip_is_told(rec) || !str_eq(rec->node, entry->pod->node)) {
		wait_for_node(entry, rec);
	} else if (!ip_is_set(&rec->told.ips[0])) {
		/* It was annotated too late, and hears so. */
		free(entry->cardless);
		entry->cardless = xstrdup(rec->pod_id);
		entry_count_lost(entry, RECORDS_LOST_CARDLESS);
		entry->all->answered = true;
		requests_end(entry);
	} else if (subnet_is_writing(subnet)) {
		/* Who gets what by that write is known when it has been answered. */
		entry_wake(entry, 100);
	} else {
		take_in(entry, subnet, rec);
	}
}
