/* SPDX-License-Identifier: Apache-2.0 */
/* What is done about one name, given its pod and its record: decide.h decides, requests.h does. */
#include <stdio.h>

#include "controller/cluster/cluster.h"
#include "controller/records/conflict.h"
#include "controller/records/internal.h"
#include "controller/records/question.h"
#include "controller/records/requests.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/str.h"

/* How soon it is looked again for the cluster's own networks, which a new leader does not know at once. */
#define NETWORK_AGAIN_MS 100
#define ANOTHER_MS       1000

/* ------------------------------------------------------------------------------- pods that live */

/* The network as it is now, to be written along with the address; NULL = the record's is the same. */
static const struct api_network *fresh_network(const struct entry *entry, const struct api_ip *rec)
{
	const struct api_network *now = subnet_network(entry->waiter.subnet);

	if (entry->lost || !now || api_network_eq(&rec->network, now))
		return NULL;
	return now;
}

static void count_granted(struct entry *entry)
{
	if (entry->bound_us)
		histogram_observe(&entry->all->granted, clock_now_us() - entry->bound_us);
	entry->bound_us = 0;
}

static void live_allocated(struct entry *entry, const struct api_ip *rec)
{
	struct subnet *subnet = subnets_find(entry->all->in.subnets, rec->subnet);

	if (entry->waiter.step == WAITER_COMMITTED) {
		if (ip_eq(&entry->waiter.addr, &rec->cidr.addr)) {
			subnet_drop(entry->waiter.subnet, &entry->waiter.addr, rec->meta.uid);
			entry_tell_allocated(entry, rec);
			count_granted(entry);
		}
		if (entry->lost_told)
			entry_count_lost(entry, RECORDS_LOST_RESTORED);
		waiter_leave(&entry->waiter);
		api_ip_free(entry->lost);
		entry->lost = NULL;
		entry_claim(entry);
	}
	if (subnet && subnet_state(subnet) == SUBNET_READY && !subnet_is_writing(subnet)) {
		subnet_adopt(subnet, &rec->cidr.addr, rec);
		subnet_adopt(subnet, &rec->cidr6.addr, rec);
	}
}

/* Made again for a pod whose record went by another hand: it gets the address that its card has. */
static void live_lost(struct entry *entry, const struct api_ip *rec)
{
	struct subnet *subnet = subnets_find(entry->all->in.subnets, entry->lost->subnet);
	struct err e = {0};

	if (!rec) {
		log_warn("record deleted while its pod lives: it is recreated", "record",
			 entry->key);
		requests_create(entry, entry->lost->subnet, &entry->lost->network);
		return;
	}
	if (entry->waiter.step == WAITER_IDLE && subnet &&
	    subnet_state(subnet) >= SUBNET_SETTLING && question_request(entry, &e))
		waiter_enqueue(&entry->waiter, subnet, rec->meta.uid,
			       entry->pod ? entry->pod->meta.created : 0);
}

static void live_pending(struct entry *entry, const struct api_ip *rec)
{
	struct subnet *subnet = NULL;
	char msg[512];
	enum decide_reason why = question_new(entry, &subnet, msg, sizeof(msg));

	if (why == DECIDE_NOTHING) {
		/* Its pod is being deleted: it needs no address any more. */
		waiter_dequeue(&entry->waiter);
		return;
	}
	if (why != DECIDE_OK || !subnet || !str_eq(subnet_name(subnet), rec->subnet)) {
		if (why != DECIDE_OK)
			entry_tell(entry, why, msg);
		waiter_dequeue(&entry->waiter);
		requests_end(entry);
		return;
	}
	/* Nobody says when another of its subnets has an address again. */
	if (entry->request.others)
		entry_wake(entry, ANOTHER_MS);
	/* What is kept for whom rests on it. */
	if (!entry->owner_known && entry->request.n_ips)
		return;
	if (entry->waiter.step == WAITER_IDLE && subnet_blind_ms(subnet))
		entry_wake(entry, subnet_blind_ms(subnet));
	else if (entry->waiter.step == WAITER_IDLE && subnet_state(subnet) >= SUBNET_SETTLING)
		waiter_enqueue(&entry->waiter, subnet, rec->meta.uid,
			       entry->pod ? entry->pod->meta.created : 0);
}

/* It has been set up without its card, or nobody knows: it is told, and not published. */
static void live_missing(struct entry *entry, const struct api_ip *rec)
{
	const struct records_options *opt = entry->all->in.opt;
	struct decide_missing_in in = {
		.rec = rec,
		.reports = !opt->attached_by_pod_ip,
		.has_ip = entry->pod->has_ip,
		.ending = entry->pod->meta.deletion != 0,
		.ip_ms = entry->ip_ms,
		.now_ms = clock_now_ms(),
	};
	char msg[400];
	int64_t wake_ms;

	if (!decide_missing(&in, &opt->rules, &wake_ms)) {
		if (wake_ms)
			entry_wake(entry, wake_ms - in.now_ms);
		return;
	}
	snprintf(msg, sizeof(msg),
		 "the pod runs, but node %.63s reports no card for it, so its address is not "
		 "published; check that tandem is the node's CNI and that tandem-node runs there, "
		 "then recreate the pod",
		 rec->node);
	entry_tell(entry, DECIDE_MISSING, msg);
	if (rec->phase != API_IP_MISSING)
		requests_missing(entry);
}

static void tell_changed(struct entry *entry, const struct api_ip *rec)
{
	char msg[400], cidr[IP_NET_LEN];

	snprintf(
		msg, sizeof(msg),
		"the pod's annotations were changed after it was scheduled and have no effect: its "
		"card stays in MacvlanSubnet %s with %s; recreate the pod",
		rec->subnet, ip_net_format(&rec->cidr, cidr));
	entry_tell(entry, DECIDE_TOO_LATE, msg);
}

static void live(struct entry *entry, const struct api_ip *rec)
{
	entry->releasing = false;
	if (rec && api_ip_is_allocated(rec)) {
		live_allocated(entry, rec);
		if (question_changed(entry, rec))
			tell_changed(entry, rec);
		conflict_run(entry, rec);
		if (!entry->call)
			live_missing(entry, rec);
	} else if (rec && entry->forced_anew)
		requests_end(entry);
	else if (rec && entry->waiter.step == WAITER_COMMITTED)
		requests_address(entry,
				 entry->lost ? &entry->lost->network : fresh_network(entry, rec));
	else if (entry->lost)
		live_lost(entry, rec);
	else if (rec && api_ip_is_asked(rec))
		entry_asked(entry, rec);
	else if (rec)
		live_pending(entry, rec);
}

/* ------------------------------------------------------------------------------- one entry */

static void end(struct entry *entry, const struct api_ip *rec)
{
	waiter_dequeue(&entry->waiter);
	if (rec == entry->lost)
		entry_released(entry, rec);
	else
		requests_end(entry);
}

/* A StatefulSet's next pod takes its address over. */
static void bind_next(struct entry *entry, const struct api_ip *rec)
{
	struct subnet *subnet = subnets_find(entry->all->in.subnets, rec->subnet);

	if (!subnet || !subnet_spec(subnet))
		return;
	if (subnet_network_is_known(subnet))
		requests_bind(entry, subnet_spec(subnet), subnet_network(subnet));
	else
		entry_wake(entry, NETWORK_AGAIN_MS);
}

static void suspect(struct entry *entry, const struct api_ip *rec)
{
	if (rec != entry->lost) {
		requests_suspect(entry);
		return;
	}
	/* There is no object to note it in. */
	entry->lost->unwitnessed = process_now_s(entry->all->in.process);
	entry_mark(entry);
}

static void run_record(struct entry *entry, const struct api_ip *rec)
{
	int64_t wake_ms = 0, now_ms = clock_now_ms();
	enum decide_record_verdict verdict = question_record(entry, rec, &wake_ms);

	entry_hold(entry, verdict == DECIDE_HOLD ? rec->subnet : NULL);
	if (entry->pod && !str_eq(entry->pod->meta.uid, rec->pod_id) &&
	    (verdict == DECIDE_WAIT || verdict == DECIDE_HOLD || verdict == DECIDE_SUSPECT))
		entry_tell(
			entry, DECIDE_FORMER_POD,
			"an earlier pod of this name still has the address, and no node has reported its card removed; the pod waits until that card is certainly down");
	switch (verdict) {
	case DECIDE_KEEP:
		live(entry, rec == entry->lost ? NULL : rec);
		break;
	case DECIDE_RENEW:
	case DECIDE_RELEASE:
		end(entry, rec);
		break;
	case DECIDE_LOOK:
		waiter_dequeue(&entry->waiter);
		if (entry->look_ms > now_ms && str_eq(entry->look_uid, rec->pod_id))
			entry_wake(entry, entry->look_ms - now_ms);
		else
			requests_look(entry, rec->pod_id);
		break;
	case DECIDE_SUSPECT:
		suspect(entry, rec);
		break;
	case DECIDE_ASK:
		waiter_dequeue(&entry->waiter);
		requests_begin_end(entry);
		break;
	case DECIDE_VACATE:
		requests_vacate(entry);
		break;
	case DECIDE_VACANT:
		break;
	case DECIDE_BIND:
		bind_next(entry, rec);
		break;
	case DECIDE_WAIT:
	case DECIDE_HOLD:
		waiter_dequeue(&entry->waiter);
		entry_wake(entry, wake_ms - now_ms);
		break;
	}
}

static void run_pod(struct entry *entry)
{
	struct subnet *subnet = NULL;
	char msg[512];
	enum decide_reason why = question_new(entry, &subnet, msg, sizeof(msg));

	if ((why == DECIDE_TOO_LATE || why == DECIDE_INVALID_ANNOTATION) &&
	    entry_may_ask(entry, &subnet)) {
		entry_ask(entry, subnet);
	} else if (why == DECIDE_OK && subnet) {
		if (!entry->bound_us)
			entry->bound_us = clock_now_us();
		/* Not before the subnet has been compared with the records; then all are looked at. */
		if (!subnet_network_is_known(subnet))
			entry_wake(entry, NETWORK_AGAIN_MS);
		else if (subnet_state(subnet) >= SUBNET_SETTLING)
			requests_create(entry, subnet_name(subnet), subnet_network(subnet));
	} else if (why != DECIDE_NOTHING) {
		entry_tell(entry, why, msg);
	}
}

void entry_run(struct entry *entry)
{
	const struct api_ip *rec;

	if (entry->all->in.process->phase != PHASE_RUN || entry->waiter.step == WAITER_COMMITTING ||
	    entry->unreadable)
		return;
	rec = entry_record(entry);
	entry_drop_stale(entry, rec);
	if (entry->good && rec && rec == entry->seen) {
		/* Before anything is decided on what it says. */
		entry_tell(
			entry, DECIDE_RESTORED,
			"the pod's MacvlanIP was edited by hand and has been restored, since the "
			"pod's network is made from it");
		requests_restore(entry);
	} else if (rec || entry->lost)
		run_record(entry, rec ? rec : entry->lost);
	else if (entry->pod)
		run_pod(entry);
}
