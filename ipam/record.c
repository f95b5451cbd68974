#include "ipam/record.h"

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
	return (struct ipam_inflight){f->addr, xstrdup(f->record_uid), xstrdup(f->pod_uid),
				      xstrdup(f->ns), xstrdup(f->name)};
}

void ipam_record_done(struct ipam_record *r)
{
	for (size_t i = 0; i < r->n_inflight; i++)
		inflight_done(&r->inflight[i]);
	free(r->inflight);
	free(r->holder);
	ipam_pool_done(&r->pool);
	*r = (struct ipam_record){0};
}

void ipam_record_copy(const struct ipam_record *r, struct ipam_record *out)
{
	*out = (struct ipam_record){
		.term = r->term,
		.commit = r->commit,
		.holder = xstrdup(r->holder),
	};
	ipam_pool_copy(&r->pool, &out->pool);
	for (size_t i = 0; i < r->n_inflight; i++)
		ipam_record_inflight_add(out, &r->inflight[i]);
}

void ipam_record_inflight_add(struct ipam_record *r, const struct ipam_inflight *entry)
{
	r->inflight = xreallocarray(r->inflight, r->n_inflight + 1, sizeof(*r->inflight));
	r->inflight[r->n_inflight++] = inflight_copy(entry);
}

bool ipam_record_inflight_drop(struct ipam_record *r, const char *record_uid,
			       const struct ip_addr *addr)
{
	for (size_t i = 0; i < r->n_inflight; i++) {
		struct ipam_inflight *f = &r->inflight[i];

		if (!str_eq(f->record_uid, record_uid) || !ip_eq(&f->addr, addr))
			continue;
		inflight_done(f);
		r->n_inflight--;
		memmove(f, f + 1, (r->n_inflight - i) * sizeof(*f));
		return true;
	}
	return false;
}

const struct ipam_inflight *ipam_record_inflight_find(const struct ipam_record *r,
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

static int read_run(const struct jval *v, struct ipam_pool *pool, struct err *e)
{
	AUTO(ipam_set_done) struct ipam_set set = IPAM_SET_INIT;
	const struct ip_addr start = {0};
	const char *text = NULL;
	struct ip_addr a;
	int64_t until;

	if (jas_obj(v, e) < 0 || jneed_str(v, "until", &text, e) < 0)
		return -1;
	if (clock_parse_rfc3339(text, &until) < 0)
		return jerr(v, "until", e, ERR_DECODE, "\"%.60s\" is not a time", text);
	if (read_set(v, "addresses", &set, e) < 0)
		return -1;
	while (ipam_set_next(&set, &start, NULL, 0, &a)) {
		if (!ipam_set_has(&pool->used, &a))
			ipam_pool_cool(pool, &a, until);
		ipam_set_remove(&set, &a);
	}
	return 0;
}

static int read_inflight(const struct jval *v, struct ipam_record *r, struct err *e)
{
	const char *text[4] = {NULL};
	struct ipam_inflight entry = {0};
	int rc;

	if (jas_obj(v, e) < 0 || jneed_str(v, "record", &text[0], e) < 0 ||
	    jneed_str(v, "pod", &text[1], e) < 0 || jneed_str(v, "namespace", &text[2], e) < 0 ||
	    jneed_str(v, "name", &text[3], e) < 0)
		return -1;
	rc = read_addr(v, "address", &entry.addr, e);
	if (rc < 0)
		return -1;
	if (rc == 0)
		return jerr(v, "address", e, ERR_DECODE, "is missing");
	entry.record_uid = (char *)text[0];
	entry.pod_uid = (char *)text[1];
	entry.ns = (char *)text[2];
	entry.name = (char *)text[3];
	ipam_record_inflight_add(r, &entry);
	return 0;
}

static int read_lists(const struct jval *v, struct ipam_record *r, struct err *e)
{
	struct jval list = {0}, item;
	int rc;

	if (read_set(v, "used", &r->pool.used, e) < 0)
		return -1;
	rc = jget_arr(v, "cooling", &list, e);
	if (rc < 0)
		return -1;
	for (struct jiter it = jiter_of(&list); rc && jiter_next(&it, &item);) {
		if (read_run(&item, &r->pool, e) < 0)
			return -1;
	}
	rc = jget_arr(v, "inflight", &list, e);
	if (rc < 0)
		return -1;
	for (struct jiter it = jiter_of(&list); rc && jiter_next(&it, &item);) {
		if (read_inflight(&item, r, e) < 0)
			return -1;
	}
	return 0;
}

int ipam_record_decode(const struct jval *v, struct ipam_record *out, struct err *e)
{
	AUTO(ipam_record_done) struct ipam_record r = {0};
	const char *holder = "";
	int64_t term = 0, commit = 0;

	if (v) {
		if (jas_obj(v, e) < 0 ||
		    jget_i64(v, "term", JRANGE(0, COUNTER_MAX - 1), &term, e) < 0 ||
		    jget_i64(v, "commit", JRANGE(0, COUNTER_MAX - 1), &commit, e) < 0 ||
		    jget_str(v, "holder", &holder, e) < 0 ||
		    read_addr(v, "cursor", &r.pool.cursor, e) < 0 || read_lists(v, &r, e) < 0)
			return -1;
	}
	r.term = (uint64_t)term;
	r.commit = (uint64_t)commit;
	r.holder = xstrdup(holder);
	*out = r;
	r = (struct ipam_record){0};
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

static void write_inflight(struct jw *w, const struct ipam_inflight *f)
{
	char addr[IP_ADDR_LEN];

	jw_obj(w);
	jw_kv_str(w, "address", ip_format(&f->addr, addr));
	jw_kv_str(w, "record", f->record_uid);
	jw_kv_str(w, "pod", f->pod_uid);
	jw_kv_str(w, "namespace", f->ns);
	jw_kv_str(w, "name", f->name);
	jw_end(w);
}

static void write_record(struct sb *sb, const struct ipam_record *r)
{
	struct jw w = jw_init(sb);
	char addr[IP_ADDR_LEN], when[CLOCK_RFC3339_LEN];

	jw_obj(&w);
	jw_kv_i64(&w, "term", (int64_t)r->term);
	jw_kv_i64(&w, "commit", (int64_t)r->commit);
	/* Absent is null, not "": the validation of API servers of 1.20 refuses an empty string. */
	jw_kv_str(&w, "holder", r->holder && *r->holder ? r->holder : NULL);
	jw_kv_str(&w, "cursor",
		  ip_is_set(&r->pool.cursor) ? ip_format(&r->pool.cursor, addr) : NULL);
	write_set(&w, "used", &r->pool.used);
	jw_kv_arr(&w, "cooling");
	for (size_t i = 0; i < r->pool.n_cooling; i++) {
		jw_obj(&w);
		jw_kv_str(&w, "until", clock_rfc3339(r->pool.cooling[i].until, when));
		write_set(&w, "addresses", &r->pool.cooling[i].set);
		jw_end(&w);
	}
	jw_end(&w);
	jw_kv_arr(&w, "inflight");
	for (size_t i = 0; i < r->n_inflight; i++)
		write_inflight(&w, &r->inflight[i]);
	jw_end(&w);
	jw_end(&w);
	jw_finish(&w);
}

int ipam_record_encode(struct ipam_record *r, char **out, struct err *e)
{
	AUTO(sb_done) struct sb sb = SB_INIT;

	for (;;) {
		sb_clear(&sb);
		write_record(&sb, r);
		if (sb.len <= IPAM_RECORD_MAX_BYTES)
			break;
		if (!ipam_pool_coarsen(&r->pool))
			return err_set(e, ERR_CONFIG, 0,
				       "the allocation record would take %zu bytes, over %d",
				       sb.len, IPAM_RECORD_MAX_BYTES);
	}
	*out = sb_take(&sb);
	return 0;
}
