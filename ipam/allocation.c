/* SPDX-License-Identifier: Apache-2.0 */
#include "ipam/allocation.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/json/jwrite.h"

#define COUNTER_MAX ((int64_t)1 << 53)

static void inflight_done(struct ipam_inflight *f)
{
	free(f->record_uid);
	free(f->pod_uid);
	free(f->ns);
	free(f->name);
}

static struct ipam_inflight inflight_copy(const struct ipam_inflight *f)
{
	return (struct ipam_inflight){
		.addr = f->addr,
		.addr6 = f->addr6,
		.record_uid = xstrdup(f->record_uid),
		.pod_uid = xstrdup(f->pod_uid),
		.ns = xstrdup(f->ns),
		.name = xstrdup(f->name),
	};
}

void ipam_allocation_done(struct ipam_allocation *r)
{
	for (size_t i = 0; i < r->n_inflight; i++)
		inflight_done(&r->inflight[i]);
	for (size_t i = 0; i < r->n_conflicts; i++)
		free(r->conflicts[i].pod_uid);
	free(r->inflight);
	free(r->conflicts);
	free(r->holder);
	ipam_claims_done(&r->claims);
	ipam_pool_done(&r->pool);
	*r = (struct ipam_allocation){0};
}

void ipam_allocation_copy(const struct ipam_allocation *r, struct ipam_allocation *out)
{
	*out = (struct ipam_allocation){
		.term = r->term,
		.commit = r->commit,
		.holder = xstrdup(r->holder),
		.lost = r->lost,
	};
	ipam_pool_copy(&r->pool, &out->pool);
	ipam_claims_copy(&r->claims, &out->claims);
	for (size_t i = 0; i < r->n_inflight; i++)
		ipam_allocation_inflight_add(out, &r->inflight[i]);
	for (size_t i = 0; i < r->n_conflicts; i++)
		ipam_allocation_conflict_add(out, &r->conflicts[i]);
}

/* What write_inflight() makes of it at most: addresses, blanks and quotes take 100. */
static size_t inflight_bytes(const struct ipam_inflight *f)
{
	return 100 + strlen(f->record_uid) + strlen(f->pod_uid) + strlen(f->ns) + strlen(f->name);
}

void ipam_allocation_conflict_add(struct ipam_allocation *r, const struct ipam_conflict *c)
{
	if (!r->conflicts)
		r->conflicts = xcalloc(IPAM_CONFLICTS_MAX, sizeof(*r->conflicts));
	if (r->n_conflicts == IPAM_CONFLICTS_MAX) {
		free(r->conflicts[0].pod_uid);
		r->n_conflicts--;
		memmove(r->conflicts, r->conflicts + 1, r->n_conflicts * sizeof(*r->conflicts));
	}
	r->conflicts[r->n_conflicts++] = (struct ipam_conflict){c->at, xstrdup(c->pod_uid), c->mac};
}

void ipam_allocation_conflicts_expire(struct ipam_allocation *r, int64_t now)
{
	size_t to = 0;

	for (size_t i = 0; i < r->n_conflicts; i++) {
		if (r->conflicts[i].at + IPAM_CONFLICTS_S > now)
			r->conflicts[to++] = r->conflicts[i];
		else
			free(r->conflicts[i].pod_uid);
	}
	r->n_conflicts = to;
}

bool ipam_allocation_has_room(const struct ipam_allocation *r)
{
	return r->n_inflight < IPAM_INFLIGHT_MAX && r->inflight_bytes < IPAM_INFLIGHT_BYTES;
}

void ipam_allocation_inflight_add(struct ipam_allocation *r, const struct ipam_inflight *entry)
{
	r->inflight = xreallocarray(r->inflight, r->n_inflight + 1, sizeof(*r->inflight));
	r->inflight[r->n_inflight++] = inflight_copy(entry);
	r->inflight_bytes += inflight_bytes(entry);
}

bool ipam_allocation_inflight_drop(struct ipam_allocation *r, const char *record_uid,
				   const struct ip_addr *addr)
{
	for (size_t i = 0; i < r->n_inflight; i++) {
		struct ipam_inflight *f = &r->inflight[i];

		if (!str_eq(f->record_uid, record_uid) ||
		    (!ip_eq(&f->addr, addr) && !ip_eq(&f->addr6, addr)))
			continue;
		r->inflight_bytes -= inflight_bytes(f);
		inflight_done(f);
		r->n_inflight--;
		memmove(f, f + 1, (r->n_inflight - i) * sizeof(*f));
		return true;
	}
	return false;
}

const struct ipam_inflight *ipam_allocation_inflight_find(const struct ipam_allocation *r,
							  const char *record_uid)
{
	for (size_t i = 0; i < r->n_inflight; i++) {
		if (str_eq(r->inflight[i].record_uid, record_uid))
			return &r->inflight[i];
	}
	return NULL;
}

/* ------------------------------------------------------------------------------- reading */

static int read_set(const struct jval *v, const char *key, struct ipam_set *out, struct err *e)
{
	struct jval list, item;
	int rc = jget_arr(v, key, &list, e);

	if (rc <= 0)
		return rc;
	for (struct jiter it = jiter_of(&list); jiter_next(&it, &item);) {
		const char *text;
		struct err why = {0};

		if (jas_str(&item, &text, e) < 0)
			return -1;
		if (ipam_set_parse_block(out, text, &why) < 0)
			return jerr(&item, NULL, e, ERR_DECODE, "%s", why.msg);
	}
	return 0;
}

static int read_addr(const struct jval *v, const char *key, struct ip_addr *out, struct err *e)
{
	const char *text = NULL;
	int rc = jget_str(v, key, &text, e);

	if (rc <= 0 || !*text)
		return rc < 0 ? -1 : 0;
	if (ip_parse(text, out) < 0)
		return jerr(v, key, e, ERR_DECODE, "\"%.60s\" is not an address", text);
	return 1;
}

static int read_time(const struct jval *v, const char *key, int64_t *out, struct err *e)
{
	const char *text = NULL;

	if (jas_obj(v, e) < 0 || jneed_str(v, key, &text, e) < 0)
		return -1;
	if (clock_parse_rfc3339(text, out) < 0)
		return jerr(v, key, e, ERR_DECODE, "\"%.60s\" is not a time", text);
	return 0;
}

static int read_run(const struct jval *v, struct ipam_pool *pool, bool quarantine, struct err *e)
{
	AUTO(ipam_set_done) struct ipam_set set = IPAM_SET_INIT;
	const struct ip_addr start = {0};
	struct ip_addr a;
	int64_t until;

	if (read_time(v, "until", &until, e) < 0 || read_set(v, "addresses", &set, e) < 0)
		return -1;
	while (ipam_set_next(&set, &start, NULL, 0, &a)) {
		ipam_set_remove(&set, &a);
		if (ipam_set_has(&pool->used, &a))
			continue;
		if (quarantine)
			ipam_pool_quarantine(pool, &a, until);
		else
			ipam_pool_cool(pool, &a, until);
	}
	return 0;
}

static int read_runs(const struct jval *v, const char *key, struct ipam_pool *pool, struct err *e)
{
	bool quarantine = str_eq(key, "quarantine");
	struct jval list = {0}, item;
	int rc = jget_arr(v, key, &list, e);

	if (rc <= 0)
		return rc;
	for (struct jiter it = jiter_of(&list); jiter_next(&it, &item);) {
		if (read_run(&item, pool, quarantine, e) < 0)
			return -1;
	}
	return 0;
}

static int read_conflict(const struct jval *v, struct ipam_allocation *r, struct err *e)
{
	struct ipam_conflict c = {0};
	const char *pod = NULL, *mac = "";

	if (read_time(v, "at", &c.at, e) < 0 || jneed_str(v, "pod", &pod, e) < 0 ||
	    jget_str(v, "mac", &mac, e) < 0)
		return -1;
	if (*mac && mac_parse(mac, &c.mac) < 0)
		return jerr(v, "mac", e, ERR_DECODE, "\"%.40s\" is not a MAC", mac);
	c.pod_uid = (char *)pod;
	ipam_allocation_conflict_add(r, &c);
	return 0;
}

/* The text up to that character, which becomes its end; what follows is in *rest. NULL: it is not there. */
static char *cut(char **rest, char at)
{
	char *text = *rest, *end = text ? strchr(text, at) : NULL;

	if (!end)
		return NULL;
	*end = '\0';
	*rest = end + 1;
	return text;
}

/* "ADDRESS[,ADDRESS6] RECORD POD NAMESPACE/NAME" */
static int parse_inflight(char *text, struct ipam_inflight *out)
{
	char *rest = text, *addresses = cut(&rest, ' '), *first;

	out->record_uid = cut(&rest, ' ');
	out->pod_uid = cut(&rest, ' ');
	out->ns = cut(&rest, '/');
	out->name = rest;
	if (!addresses || !out->record_uid || !*out->record_uid || !out->pod_uid || !out->ns ||
	    !*out->ns || !*out->name || strpbrk(out->name, " /"))
		return -1;
	first = cut(&addresses, ',');
	if (first && ip_parse(addresses, &out->addr6) < 0)
		return -1;
	return ip_parse(first ? first : addresses, &out->addr);
}

static int read_inflight(const struct jval *v, struct ipam_allocation *r, struct err *e)
{
	struct ipam_inflight entry = {0};
	AUTO(free) char *copy = NULL;
	const char *text;

	if (jas_str(v, &text, e) < 0)
		return -1;
	copy = xstrdup(text);
	if (parse_inflight(copy, &entry) < 0)
		return jerr(v, NULL, e, ERR_DECODE, "\"%.100s\" is not an entry in flight", text);
	ipam_allocation_inflight_add(r, &entry);
	return 0;
}

static int read_claim(const struct jval *v, struct ipam_allocation *r, struct err *e)
{
	AUTO(ipam_set_done) struct ipam_set set = IPAM_SET_INIT;
	struct ip_addr a, from = {0};
	const char *by = "";

	if (jas_obj(v, e) < 0 || jget_str(v, "by", &by, e) < 0 ||
	    read_set(v, "addresses", &set, e) < 0)
		return -1;
	while (ipam_set_next(&set, &from, NULL, 0, &a)) {
		ipam_set_remove(&set, &a);
		if (!ipam_claims_add(&r->claims, by, &a))
			return jerr(v, "addresses", e, ERR_DECODE, "are too many");
	}
	return 0;
}

typedef int read_one_fn(const struct jval *v, struct ipam_allocation *r, struct err *e);

static int read_each(const struct jval *v, const char *key, read_one_fn *one,
		     struct ipam_allocation *r, struct err *e)
{
	struct jval list = {0}, item;
	int rc = jget_arr(v, key, &list, e);

	if (rc <= 0)
		return rc;
	for (struct jiter it = jiter_of(&list); jiter_next(&it, &item);) {
		if (one(&item, r, e) < 0)
			return -1;
	}
	return 0;
}

static int read_lists(const struct jval *v, struct ipam_allocation *r, struct err *e)
{
	if (read_set(v, "used", &r->pool.used, e) < 0 ||
	    read_set(v, "unproven", &r->pool.unproven, e) < 0 ||
	    read_each(v, "claimed", read_claim, r, e) < 0 ||
	    read_runs(v, "cooling", &r->pool, e) < 0 ||
	    read_runs(v, "quarantine", &r->pool, e) < 0 ||
	    read_each(v, "conflicts", read_conflict, r, e) < 0)
		return -1;
	return read_each(v, "inflight", read_inflight, r, e);
}

int ipam_allocation_decode(const struct jval *v, struct ipam_allocation *out, struct err *e)
{
	AUTO(ipam_allocation_done) struct ipam_allocation r = {0};
	const char *holder = "";
	int64_t term = 0, commit = 0;

	if (v) {
		if (jas_obj(v, e) < 0 ||
		    jget_i64(v, "term", JRANGE(0, COUNTER_MAX - 1), &term, e) < 0 ||
		    jget_i64(v, "commit", JRANGE(0, COUNTER_MAX - 1), &commit, e) < 0 ||
		    jget_str(v, "holder", &holder, e) < 0 || jget_bool(v, "lost", &r.lost, e) < 0 ||
		    read_addr(v, "cursor", &r.pool.cursor, e) < 0 ||
		    read_addr(v, "cursor6", &r.pool.cursor6, e) < 0 || read_lists(v, &r, e) < 0)
			return -1;
	}
	r.term = (uint64_t)term;
	r.commit = (uint64_t)commit;
	r.holder = xstrdup(holder);
	*out = r;
	r = (struct ipam_allocation){0};
	return 0;
}

/* ------------------------------------------------------------------------------- writing */

static void write_set(struct jw *w, const char *key, const struct ipam_set *set)
{
	AUTO(sb_done) struct sb text = SB_INIT;

	jw_kv_arr(w, key);
	for (size_t i = 0; i < set->n; i++) {
		sb_clear(&text);
		ipam_block_format(&set->blocks[i], &text);
		jw_str(w, sb_get(&text));
	}
	jw_end(w);
}

/*
 * As one text: an API server of 1.20 takes 130 ms for a status with 400 objects of six members, and 30 ms
 * with 400 texts; all that wait for an address wait for this write.
 */
static void write_inflight(struct jw *w, const struct ipam_inflight *f)
{
	char addr[IP_ADDR_LEN], addr6[IP_ADDR_LEN] = "";
	bool dual = ip_is_set(&f->addr6);
	AUTO(free)
	char *text = xasprintf("%s%s%s %s %s %s/%s", ip_format(&f->addr, addr), dual ? "," : "",
			       dual ? ip_format(&f->addr6, addr6) : "", f->record_uid, f->pod_uid,
			       f->ns, f->name);

	jw_str(w, text);
}

static void write_runs(struct jw *w, const struct ipam_pool *pool, bool quarantine)
{
	char when[CLOCK_RFC3339_LEN];

	jw_kv_arr(w, quarantine ? "quarantine" : "cooling");
	for (size_t i = 0; i < pool->n_cooling; i++) {
		if (pool->cooling[i].quarantine != quarantine)
			continue;
		jw_obj(w);
		jw_kv_str(w, "until", clock_rfc3339(pool->cooling[i].until, when));
		write_set(w, "addresses", &pool->cooling[i].set);
		jw_end(w);
	}
	jw_end(w);
}

static void write_conflicts(struct jw *w, const struct ipam_allocation *r)
{
	const struct mac_addr none = {{0}};
	char when[CLOCK_RFC3339_LEN], mac[MAC_ADDR_LEN];

	jw_kv_arr(w, "conflicts");
	for (size_t i = 0; i < r->n_conflicts; i++) {
		const struct ipam_conflict *c = &r->conflicts[i];

		jw_obj(w);
		jw_kv_str(w, "at", clock_rfc3339(c->at, when));
		jw_kv_str(w, "pod", c->pod_uid);
		if (!mac_eq(&c->mac, &none))
			jw_kv_str(w, "mac", mac_format(&c->mac, mac));
		jw_end(w);
	}
	jw_end(w);
}

static void write_cursor(struct jw *w, const char *key, const struct ip_addr *cursor)
{
	char addr[IP_ADDR_LEN];

	jw_kv_str(w, key, ip_is_set(cursor) ? ip_format(cursor, addr) : NULL);
}

static void write_claims(struct jw *w, const struct ipam_claims *claims)
{
	jw_kv_arr(w, "claimed");
	for (size_t i = 0; i < claims->n; i++) {
		jw_obj(w);
		jw_kv_str(w, "by", claims->items[i].owner);
		write_set(w, "addresses", &claims->items[i].set);
		jw_end(w);
	}
	jw_end(w);
}

static void write_record(struct sb *sb, const struct ipam_allocation *r)
{
	struct jw w = jw_init(sb);

	jw_obj(&w);
	jw_kv_i64(&w, "term", (int64_t)r->term);
	jw_kv_i64(&w, "commit", (int64_t)r->commit);
	/* Absent is null, not "": the validation of API servers of 1.20 refuses an empty string. */
	jw_kv_str(&w, "holder", r->holder && *r->holder ? r->holder : NULL);
	if (r->lost)
		jw_kv_bool(&w, "lost", true);
	else
		jw_kv_str(&w, "lost", NULL);
	write_cursor(&w, "cursor", &r->pool.cursor);
	write_cursor(&w, "cursor6", &r->pool.cursor6);
	write_set(&w, "used", &r->pool.used);
	write_set(&w, "unproven", &r->pool.unproven);
	write_claims(&w, &r->claims);
	write_runs(&w, &r->pool, false);
	write_runs(&w, &r->pool, true);
	write_conflicts(&w, r);
	jw_kv_arr(&w, "inflight");
	for (size_t i = 0; i < r->n_inflight; i++)
		write_inflight(&w, &r->inflight[i]);
	jw_end(&w);
	jw_end(&w);
	jw_finish(&w);
}

int ipam_allocation_encode(struct ipam_allocation *r, char **out, struct err *e)
{
	AUTO(sb_done) struct sb sb = SB_INIT;

	for (;;) {
		sb_clear(&sb);
		write_record(&sb, r);
		if (sb.len <= IPAM_ALLOCATION_MAX_BYTES)
			break;
		if (!ipam_pool_coarsen(&r->pool))
			return err_set(e, ERR_CONFIG, 0,
				       "the allocation would take %zu bytes, over %d", sb.len,
				       IPAM_ALLOCATION_MAX_BYTES);
	}
	*out = sb_take(&sb);
	return 0;
}
