/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/records/conflict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/records/internal.h"
#include "controller/records/question.h"
#include "controller/records/requests.h"
#include "controller/rules/conflict.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

#define NOT_READY_MS 1000

/* What is remembered of an entry's conflicts; most never have one. */
struct conflict_memory {
	char *record_uid; /* being ended for its conflict; NULL = none */
	int64_t until_s;
	char *pod_uid; /* whose count it is */
	unsigned int count;
	uint64_t told;    /* which record, and what of it was told, as a hash */
	int64_t again_ms; /* refused: decided again then; 0 = not refused */
};

/* ------------------------------------------------------------------------------- remembered */

static struct conflict_memory *memory_of(struct entry *entry)
{
	struct conflict_memory *c = entry->conflict;

	if (!c)
		c = entry->conflict = xcalloc(1, sizeof(*c));
	if (!str_eq(c->pod_uid, entry->pod->meta.uid)) {
		free(c->pod_uid);
		c->pod_uid = xstrdup(entry->pod->meta.uid);
		c->count = 0;
	}
	return c;
}

/* Of the record and the pod that it is for at present. */
static uint64_t hash_of(const struct api_ip *rec)
{
	uint64_t h = hash_fnv1a(HASH_FNV1A_INIT, rec->meta.uid, strlen(rec->meta.uid));

	return hash_fnv1a(h, rec->pod_id, strlen(rec->pod_id));
}

/* ------------------------------------------------------------------------------- told */

/* Whether the pod could have another address at all. */
static bool is_fixed(struct entry *entry)
{
	struct err ignored = {0};

	return question_request(entry, &ignored) && api_request_entries(&entry->request) == 1;
}

static void offender(const struct api_ip *rec, char *out, size_t size)
{
	struct mac_addr mac;
	char text[MAC_ADDR_LEN];

	if (api_ip_rival_mac(rec->message, &mac))
		snprintf(out, size, "the machine with MAC %s", mac_format(&mac, text));
	else
		snprintf(out, size, "another machine");
}

/* The report does not say which of the two. */
static void addresses(const struct api_ip *rec, char *out, size_t size)
{
	char v[IP_ADDR_LEN], v6[IP_ADDR_LEN];

	ip_format(&rec->cidr6.addr, v6);
	snprintf(out, size, "%s%s%s", ip_format(&rec->cidr.addr, v), *v6 ? " or " : "", v6);
}

static const char *what_follows(enum conflict_verdict v, const struct conflict_memory *c,
				bool fixed, char *out, size_t size)
{
	char when[CLOCK_RFC3339_LEN];

	switch (v) {
	case CONFLICT_QUARANTINE:
		clock_rfc3339(c->until_s, when);
		if (fixed)
			snprintf(out, size,
				 "the pod may have no other address; this one is tried again at %s",
				 when);
		else
			snprintf(out, size,
				 "the address is in quarantine until %s, and the pod gets another",
				 when);
		return out;
	case CONFLICT_POD_LIMIT:
		return "other addresses of this pod were in conflict too, and no further one goes "
		       "into quarantine; find that machine, or remove what it uses from the "
		       "subnet's ranges";
	case CONFLICT_SUBNET_LIMIT:
		return "16 addresses of the subnet went into quarantine within an hour, and no "
		       "further one does; remove what other machines use from the subnet's ranges";
	case CONFLICT_PROXY_ARP:
		return "it answers for one address after the other, as a router with proxy ARP "
		       "does; switch proxy ARP off there, or set conflictDetection: false in the subnet";
	default:
		return "the pod keeps it; find that machine, or remove the address from the "
		       "subnet's ranges";
	}
}

/* Nothing leaves the pod before that. */
static const char *what_first(const struct entry *entry, const struct api_ip *rec,
			      enum conflict_verdict v, char *out, size_t size)
{
	*out = '\0';
	if (v == CONFLICT_QUARANTINE && !entry->all->in.opt->attached_by_pod_ip)
		snprintf(out, size, "once node %.63s says that the pod has no card, ", rec->node);
	return out;
}

static void tell(struct entry *entry, const struct api_ip *rec, enum conflict_verdict v, bool fixed)
{
	char addr[2 * IP_ADDR_LEN + 8], who[80], first[120], what[160], msg[600];
	struct conflict_memory *c = memory_of(entry);
	uint64_t now = hash_fnv1a(hash_of(rec), &v, sizeof(v));

	/* Every five minutes, and at once when it is something new; so is the address that follows. */
	if (c->told != now)
		entry->told_ms[DECIDE_CONFLICT] = entry->told_ms[DECIDE_ALLOCATED] = 0;
	c->told = now;
	addresses(rec, addr, sizeof(addr));
	offender(rec, who, sizeof(who));
	snprintf(msg, sizeof(msg), "%s uses %s on the LAN, node %.63s reports; %s%s", who, addr,
		 rec->node, what_first(entry, rec, v, first, sizeof(first)),
		 what_follows(v, c, fixed, what, sizeof(what)));
	entry_tell(entry, DECIDE_CONFLICT, msg);
}

/* ------------------------------------------------------------------------------- done */

static bool is_ending(const struct entry *entry, const char *record_uid)
{
	return entry->conflict && entry->conflict->record_uid &&
	       str_eq(entry->conflict->record_uid, record_uid);
}

/* What is committed, and what will be with the next write. */
static struct ipam_conflict *recent_of(const struct subnet *subnet, size_t *n)
{
	const struct ipam_allocation *r = subnet_allocation(subnet);
	size_t n_next;
	const struct ipam_conflict *next = subnet_conflicts(subnet, &n_next);
	struct ipam_conflict *all = xcalloc(r->n_conflicts + n_next + 1, sizeof(*all));

	*n = 0;
	for (size_t i = 0; i < r->n_conflicts; i++)
		all[(*n)++] = r->conflicts[i];
	for (size_t i = 0; i < n_next; i++)
		all[(*n)++] = next[i];
	return all;
}

static enum conflict_verdict ask(const struct entry *entry, const struct subnet *subnet,
				 const struct api_ip *rec)
{
	const struct conflict_memory *c = entry->conflict;
	const char *pod_uid = entry->pod->meta.uid;
	AUTO(free) struct ipam_conflict *recent = NULL;
	struct conflict_in in = {
		.rec = rec,
		.in_use = entry->pod->has_ip || entry->attached == hash_of(rec),
		.ending = is_ending(entry, rec->meta.uid) || rec->meta.deletion,
		.asked = is_ending(entry, rec->meta.uid),
		.off = !entry->all->in.opt->rules.quarantine_s,
		.of_pod = c && str_eq(c->pod_uid, pod_uid) ? c->count : 0,
		.now_s = process_now_s(entry->all->in.process),
	};

	recent = recent_of(subnet, &in.n_recent);
	in.recent = recent;
	in.proxy = subnet_proxy(subnet);
	return conflict_decide(&in);
}

static void begin(struct entry *entry, struct subnet *subnet, const struct api_ip *rec)
{
	struct conflict_memory *c = memory_of(entry);
	int64_t pause = entry->all->in.opt->rules.quarantine_s;
	struct ipam_conflict seen = {.at = process_now_s(entry->all->in.process),
				     .pod_uid = c->pod_uid};
	bool fixed = is_fixed(entry);

	if (fixed && pause > CONFLICT_FIXED_S)
		pause = CONFLICT_FIXED_S;
	free(c->record_uid);
	c->record_uid = xstrdup(rec->meta.uid);
	c->until_s = seen.at + pause;
	c->count++;
	api_ip_rival_mac(rec->message, &seen.mac);
	/* Whoever has begun its end has counted it. */
	if (!rec->meta.deletion)
		subnet_conflict(subnet, &seen);
	tell(entry, rec, CONFLICT_QUARANTINE, fixed);
}

/* The subnet's condition says so for an hour, and the record is looked at again then. */
static void refuse(struct entry *entry, struct subnet *subnet, const struct api_ip *rec,
		   enum conflict_verdict v)
{
	static const char *const reasons[] = {
		[CONFLICT_POD_LIMIT] = "PodLimit",
		[CONFLICT_SUBNET_LIMIT] = "SubnetLimit",
		[CONFLICT_PROXY_ARP] = "ProxyARP",
	};
	char addr[2 * IP_ADDR_LEN + 8], who[80], why[400];
	struct conflict_memory *c = memory_of(entry);
	int64_t now_ms = clock_now_ms();
	struct mac_addr proxy = {0};

	tell(entry, rec, v, false);
	/* Looks in between do not put it off. */
	if (c->again_ms <= now_ms)
		c->again_ms = now_ms + IPAM_CONFLICTS_S * 1000;
	entry_wake(entry, c->again_ms - now_ms);
	if (subnet_is_refusing(subnet, reasons[v]))
		return;
	addresses(rec, addr, sizeof(addr));
	offender(rec, who, sizeof(who));
	snprintf(why, sizeof(why), "%s uses %s on the LAN; %s", who, addr,
		 what_follows(v, NULL, false, NULL, 0));
	if (v == CONFLICT_PROXY_ARP)
		api_ip_rival_mac(rec->message, &proxy);
	subnet_refuse_conflicts(subnet, reasons[v], why, v == CONFLICT_PROXY_ARP ? &proxy : NULL);
}

static void end_record(struct entry *entry, struct subnet *subnet, const struct api_ip *rec)
{
	if (!is_ending(entry, rec->meta.uid))
		begin(entry, subnet, rec);
	switch (conflict_step(rec, !entry->all->in.opt->attached_by_pod_ip)) {
	case CONFLICT_MARK:
		requests_begin_end(entry);
		break;
	case CONFLICT_WAIT:
		break;
	case CONFLICT_FREE:
		requests_end(entry);
		break;
	}
}

void conflict_run(struct entry *entry, const struct api_ip *rec)
{
	struct subnet *subnet = subnets_find(entry->all->in.subnets, rec->subnet);
	enum conflict_verdict v;

	if (rec->phase == API_IP_ATTACHED)
		entry->attached = hash_of(rec);
	if (!subnet || entry->pod->meta.deletion)
		return;
	if (subnet_state(subnet) != SUBNET_READY) {
		/* Nobody tells when it is, and the record will not change by itself. */
		if (rec->phase == API_IP_CONFLICT && subnet_object(subnet))
			entry_wake(entry, NOT_READY_MS);
		return;
	}
	v = ask(entry, subnet, rec);
	switch (v) {
	case CONFLICT_QUARANTINE:
		end_record(entry, subnet, rec);
		return;
	case CONFLICT_TELL:
		tell(entry, rec, v, false);
		break;
	case CONFLICT_POD_LIMIT:
	case CONFLICT_SUBNET_LIMIT:
	case CONFLICT_PROXY_ARP:
		refuse(entry, subnet, rec, v);
		break;
	case CONFLICT_NONE:
		break;
	}
	/* The card is up after all, before the record was gone. */
	if (is_ending(entry, rec->meta.uid)) {
		free(entry->conflict->record_uid);
		entry->conflict->record_uid = NULL;
	}
}

void conflict_release(struct entry *entry, struct subnet *subnet, const struct ip_addr *addr,
		      const char *uid)
{
	if (!is_ending(entry, uid)) {
		subnet_release(subnet, addr, uid);
		return;
	}
	subnet_quarantine(subnet, addr, uid, entry->conflict->until_s);
	entry->all->n_quarantined += ip_is_set(addr);
}

void conflict_free(struct entry *entry)
{
	if (!entry->conflict)
		return;
	free(entry->conflict->record_uid);
	free(entry->conflict->pod_uid);
	free(entry->conflict);
	entry->conflict = NULL;
}
