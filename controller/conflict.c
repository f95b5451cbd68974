#include "controller/conflict.h"

#include <stdio.h>
#include <string.h>

#include "controller/ask.h"
#include "controller/calls.h"
#include "controller/ent.h"
#include "controller/events.h"
#include "controller/sub.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

#define PROXY_S 60

/* What is remembered of an entry's conflicts; most never have one. */
struct ent_conflict {
	char *record_uid; /* being ended for its conflict; NULL = none */
	int64_t until_s;
	char *pod_uid; /* whose count it is */
	unsigned int count;
	uint64_t told; /* which record, and what of it was told, as a hash */
};

/* ------------------------------------------------------------------------------- decided */

/* One machine that answers for address after address is a router with proxy ARP, not a rival. */
static bool is_proxy(const struct conflict_in *in)
{
	struct mac_addr mac;
	int n = 1;

	if (!api_ip_rival_mac(in->rec->message, &mac))
		return false;
	for (size_t i = 0; i < in->n_recent; i++) {
		const struct ipam_conflict *c = &in->recent[i];

		n += c->at + PROXY_S >= in->now_s && mac_eq(&c->mac, &mac);
	}
	return n >= CONFLICT_PROXY || mac_eq(&in->proxy, &mac);
}

enum conflict_verdict conflict_decide(const struct conflict_in *in)
{
	unsigned int of_subnet = 0, of_pod = 0;

	if (in->rec->phase != API_IP_CONFLICT)
		return CONFLICT_NONE;
	if (in->in_use || in->off)
		return CONFLICT_TELL;
	if (in->ending)
		return CONFLICT_QUARANTINE;
	for (size_t i = 0; i < in->n_recent; i++) {
		const struct ipam_conflict *c = &in->recent[i];

		of_subnet += c->at + IPAM_CONFLICTS_S > in->now_s;
		of_pod += str_eq(c->pod_uid, in->rec->pod_id);
	}
	if (is_proxy(in))
		return CONFLICT_PROXY_ARP;
	if (of_pod >= CONFLICT_POD_MAX || in->of_pod >= CONFLICT_POD_MAX)
		return CONFLICT_POD_LIMIT;
	if (of_subnet >= IPAM_CONFLICTS_MAX)
		return CONFLICT_SUBNET_LIMIT;
	return CONFLICT_QUARANTINE;
}

/* ------------------------------------------------------------------------------- remembered */

static struct ent_conflict *memory_of(struct ent *ent)
{
	struct ent_conflict *c = ent->conflict;

	if (!c)
		c = ent->conflict = xcalloc(1, sizeof(*c));
	if (!str_eq(c->pod_uid, ent->pod->meta.uid)) {
		free(c->pod_uid);
		c->pod_uid = xstrdup(ent->pod->meta.uid);
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
static bool is_fixed(struct ent *ent)
{
	struct err ignored = {0};

	return ask_request(ent, &ignored) && api_request_entries(&ent->request) == 1;
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

static const char *what_follows(enum conflict_verdict v, const struct ent_conflict *c, bool fixed,
				char *out, size_t size)
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
		       "does; switch proxy ARP off there, or conflictDetection in the subnet";
	default:
		return "the pod keeps it; find that machine, or remove the address from the "
		       "subnet's ranges";
	}
}

static void tell(struct ent *ent, const struct api_ip *rec, enum conflict_verdict v, bool fixed)
{
	char addr[2 * IP_ADDR_LEN + 8], who[80], what[160], msg[500];
	struct ent_conflict *c = memory_of(ent);
	uint64_t now = hash_fnv1a(hash_of(rec), &v, sizeof(v));

	/* Every five minutes, and at once when it is something new; so is the address that follows. */
	if (c->told != now)
		ent->told_ms[DECIDE_CONFLICT] = ent->told_ms[DECIDE_ALLOCATED] = 0;
	c->told = now;
	addresses(rec, addr, sizeof(addr));
	offender(rec, who, sizeof(who));
	snprintf(msg, sizeof(msg), "%s uses %s on the LAN, node %.63s reports; %s", who, addr,
		 rec->node, what_follows(v, c, fixed, what, sizeof(what)));
	events_tell(ent, DECIDE_CONFLICT, msg);
}

/* ------------------------------------------------------------------------------- done */

static bool is_ending(const struct ent *ent, const char *record_uid)
{
	return ent->conflict && ent->conflict->record_uid &&
	       str_eq(ent->conflict->record_uid, record_uid);
}

/* What is committed, and what will be with the next write. */
static struct ipam_conflict *recent_of(const struct sub *sub, size_t *n)
{
	const struct ipam_record *r = &sub->record;
	struct ipam_conflict *all = xcalloc(r->n_conflicts + sub->n_conflicts + 1, sizeof(*all));

	*n = 0;
	for (size_t i = 0; i < r->n_conflicts; i++)
		all[(*n)++] = r->conflicts[i];
	for (size_t i = 0; i < sub->n_conflicts; i++)
		all[(*n)++] = sub->conflicts[i];
	return all;
}

static enum conflict_verdict ask(const struct ent *ent, const struct sub *sub,
				 const struct api_ip *rec)
{
	const struct ent_conflict *c = ent->conflict;
	const char *pod_uid = ent->pod->meta.uid;
	AUTO(free) struct ipam_conflict *recent = NULL;
	struct conflict_in in = {
		.rec = rec,
		.in_use = ent->pod->has_ip || ent->attached == hash_of(rec),
		.ending = is_ending(ent, rec->meta.uid),
		.off = !ent->app->opt.rules.quarantine_s,
		.of_pod = c && str_eq(c->pod_uid, pod_uid) ? c->count : 0,
		.now_s = app_now_s(ent->app),
	};

	recent = recent_of(sub, &in.n_recent);
	in.recent = recent;
	if (sub->conflicts_until_s > in.now_s)
		in.proxy = sub->proxy;
	return conflict_decide(&in);
}

static void begin(struct ent *ent, struct sub *sub, const struct api_ip *rec)
{
	struct ent_conflict *c = memory_of(ent);
	int64_t pause = ent->app->opt.rules.quarantine_s;
	struct ipam_conflict entry = {.at = app_now_s(ent->app), .pod_uid = c->pod_uid};
	bool fixed = is_fixed(ent);

	if (fixed && pause > CONFLICT_FIXED_S)
		pause = CONFLICT_FIXED_S;
	free(c->record_uid);
	c->record_uid = xstrdup(rec->meta.uid);
	c->until_s = entry.at + pause;
	c->count++;
	api_ip_rival_mac(rec->message, &entry.mac);
	sub_conflict(sub, &entry);
	tell(ent, rec, CONFLICT_QUARANTINE, fixed);
}

/* The subnet's condition says so for an hour, and the record is looked at again then. */
static void refuse(struct ent *ent, struct sub *sub, const struct api_ip *rec,
		   enum conflict_verdict v)
{
	static const char *const reasons[] = {
		[CONFLICT_POD_LIMIT] = "PodLimit",
		[CONFLICT_SUBNET_LIMIT] = "SubnetLimit",
		[CONFLICT_PROXY_ARP] = "ProxyARP",
	};
	char addr[2 * IP_ADDR_LEN + 8], who[80];

	tell(ent, rec, v, false);
	ent_wake(ent, IPAM_CONFLICTS_S * 1000);
	if (sub->conflicts_until_s > app_now_s(ent->app) &&
	    str_eq(sub->conflicts_reason, reasons[v]))
		return;
	addresses(rec, addr, sizeof(addr));
	offender(rec, who, sizeof(who));
	sub->conflicts_reason = reasons[v];
	sub->conflicts_until_s = app_now_s(ent->app) + IPAM_CONFLICTS_S;
	snprintf(sub->conflicts_why, sizeof(sub->conflicts_why), "%s uses %s on the LAN; %s", who,
		 addr, what_follows(v, NULL, false, NULL, 0));
	if (v == CONFLICT_PROXY_ARP)
		api_ip_rival_mac(rec->message, &sub->proxy);
	sub_soft(sub);
}

void conflict_run(struct ent *ent, const struct api_ip *rec)
{
	struct sub *sub = sub_find(ent->app, rec->subnet);
	enum conflict_verdict v;

	if (rec->phase == API_IP_ATTACHED)
		ent->attached = hash_of(rec);
	if (!sub || sub->state != SUB_READY || ent->pod->meta.deletion)
		return;
	v = ask(ent, sub, rec);
	switch (v) {
	case CONFLICT_QUARANTINE:
		if (!is_ending(ent, rec->meta.uid))
			begin(ent, sub, rec);
		calls_end(ent);
		return;
	case CONFLICT_TELL:
		tell(ent, rec, v, false);
		break;
	case CONFLICT_POD_LIMIT:
	case CONFLICT_SUBNET_LIMIT:
	case CONFLICT_PROXY_ARP:
		refuse(ent, sub, rec, v);
		break;
	case CONFLICT_NONE:
		break;
	}
	/* The card is up after all, before the record was gone. */
	if (is_ending(ent, rec->meta.uid)) {
		free(ent->conflict->record_uid);
		ent->conflict->record_uid = NULL;
	}
}

void conflict_release(struct ent *ent, struct sub *sub, const struct ip_addr *addr, const char *uid)
{
	if (is_ending(ent, uid))
		sub_quarantine(sub, addr, uid, ent->conflict->until_s);
	else
		sub_release(sub, addr, uid);
}

void conflict_free(struct ent *ent)
{
	if (!ent->conflict)
		return;
	free(ent->conflict->record_uid);
	free(ent->conflict->pod_uid);
	free(ent->conflict);
	ent->conflict = NULL;
}
