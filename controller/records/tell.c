/* SPDX-License-Identifier: Apache-2.0 */
/* What people are told about a pod. */
#include <stdio.h>
#include <stdlib.h>

#include "api/owner.h"
#include "api/workload.h"
#include "controller/addresses/reservations.h"
#include "controller/process/events.h"
#include "controller/records/internal.h"
#include "controller/rules/largest.h"
#include "controller/rules/plan.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"

void entry_tell(struct entry *entry, enum decide_reason reason, const char *msg)
{
	struct event v = {
		.api_version = "v1",
		.kind = "Pod",
		.warning = reason != DECIDE_ALLOCATED,
		.reason = decide_reason_name(reason),
		.message = msg,
	};

	if (!entry->pod || event_was_told(&entry->told_ms[reason]))
		return;
	log_line(v.warning ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG, "pod", "pod", entry->key, "reason",
		 v.reason, "message", msg, (char *)0);
	v.about = &entry->pod->meta;
	entry->all->n_told[reason]++;
	event_send(entry->all->in.process, &v);
}

void entry_tell_allocated(struct entry *entry, const struct api_ip *rec)
{
	char msg[900], cidr[IP_NET_LEN], cidr6[IP_NET_LEN], mac[MAC_ADDR_LEN];

	ip_net_format(&rec->cidr6, cidr6);
	snprintf(msg, sizeof(msg), "MacvlanSubnet %s gave %s%s%s, MAC %s%s%.400s", rec->subnet,
		 ip_net_format(&rec->cidr, cidr), *cidr6 ? " and " : "", cidr6,
		 mac_format(&rec->mac, mac), entry->choice ? "; chosen: " : "",
		 entry->choice ? entry->choice : "");
	entry_tell(entry, DECIDE_ALLOCATED, msg);
}

/* The party that an address is kept for. */
static void reserved_text(const struct entry *entry, const struct subnet *subnet,
			  const struct ip_addr *addr, char *msg, size_t size)
{
	const char *holder =
		reservations_find(entry->all->in.reservations, subnet_name(subnet), addr);
	AUTO(free) char *id = api_owner_title(holder ? holder : "another workload");
	char text[IP_ADDR_LEN];

	snprintf(msg, size,
		 "annotation " API_ANNOTATION_IP
		 ": %s is reserved by the pod template of %.300s; choose another address or remove "
		 "it there",
		 ip_format(addr, text), id);
}

static const char *family_name(uint8_t family)
{
	return family == AF_INET6 ? "IPv6 " : family == AF_INET ? "IPv4 " : "";
}

/* When the first of the addresses that a pod names has cooled down; 0 = none of them is cooling. */
static int64_t next_named(const struct subnet *subnet, const struct api_request *q)
{
	AUTO(ipam_set_done) struct ipam_set named = IPAM_SET_INIT;

	for (size_t i = 0; i < q->n_ips; i++)
		ipam_set_add(&named, &q->ips[i]);
	return subnet_next_free_of_s(subnet, &named);
}

static const char *asked_text(const struct entry *entry, enum api_annotation which)
{
	return entry->pod ? api_annotations_text(&entry->pod->annotations, which) : "";
}

/* The address that its card has cannot be given to it again. */
static void tell_not_kept(struct entry *entry, const struct subnet *subnet,
			  const struct plan_want *want)
{
	char msg[400], text[IP_ADDR_LEN];

	snprintf(
		msg, sizeof(msg),
		"the pod's MacvlanIP was lost, and the address of its card, %s, is %s; the pod's card is "
		"not published; recreate the pod",
		ip_format(&want->addr, text),
		want->result == DECIDE_OUTSIDE ? "none that the MacvlanSubnet gives"
					       : "in use or cooling down");
	log_warn("address of a lost record is not given again", "pod", entry->key, "subnet",
		 subnet_name(subnet), "address", text);
	entry_tell(entry, want->result, msg);
}

/* Its Deployment makes it before it ends the pod that has its address. */
static const char *surge_text(const struct entry *entry)
{
	const struct api_workload *w =
		entry->owner ? reservations_workload(entry->all->in.reservations, entry->owner)
			     : NULL;

	return w && w->surges
		       ? "; its Deployment makes new pods before it ends old ones: set "
			 "spec.strategy.rollingUpdate.maxSurge to 0, or spec.strategy.type to Recreate"
		       : "";
}

void entry_tell_waiting(struct subnet *subnet, struct entry *entry, const struct plan_want *want)
{
	bool second = want->family == AF_INET6 && subnet_is_dual(subnet);
	int64_t next = subnet_next_free_s(subnet, second);
	const char *family = family_name(want->family);
	char msg[900], when[CLOCK_RFC3339_LEN], who[LARGEST_TEXT_LEN];

	if (ip_is_set(&want->keep)) {
		tell_not_kept(entry, subnet, want);
		return;
	}
	largest_format(subnet_largest(subnet), who);
	switch (want->result) {
	case DECIDE_RESERVED:
		reserved_text(entry, subnet, &want->addr, msg, sizeof(msg));
		break;
	case DECIDE_EXHAUSTED:
		snprintf(msg, sizeof(msg),
			 "MacvlanSubnet %s has no free %saddress; the pod gets one as soon as one "
			 "is free%s%s%s",
			 subnet_name(subnet), family, next ? ", the next one at " : "",
			 next ? clock_rfc3339(next, when) : "", who);
		break;
	case DECIDE_NAMESPACE_LIMIT:
		snprintf(msg, sizeof(msg),
			 "MacvlanSubnet %s gives a namespace %u addresses at most "
			 "(maxPerNamespace), and %s has %zu; the pod gets one as soon as one of "
			 "them is given back%s",
			 subnet_name(subnet), subnet_spec(subnet)->max_per_ns, want->ns,
			 want->ns_has, who);
		break;
	case DECIDE_OUTSIDE:
		snprintf(msg, sizeof(msg),
			 "annotation " API_ANNOTATION_IP ": \"%.120s\": MacvlanSubnet %s %s%s%s",
			 asked_text(entry, API_ASKED_IP), subnet_name(subnet),
			 *family ? "has no "
				 : "does not give that address; choose one of its ranges",
			 family, *family ? "addresses" : "");
		break;
	case DECIDE_ADDRESS_IN_USE:
		next = next_named(subnet, &entry->request);
		snprintf(msg, sizeof(msg),
			 "annotation " API_ANNOTATION_IP
			 ": \"%.120s\": in use or cooling down; the "
			 "pod gets one as soon as one is free%s%s%s",
			 asked_text(entry, API_ASKED_IP), next ? ", the next one at " : "",
			 next ? clock_rfc3339(next, when) : "", surge_text(entry));
		break;
	default:
		snprintf(msg, sizeof(msg),
			 "annotation " API_ANNOTATION_MAC
			 ": \"%.120s\": another pod has that MAC; choose another one%s",
			 asked_text(entry, API_ASKED_MAC), surge_text(entry));
		break;
	}
	entry_tell(entry, want->result, msg);
}
