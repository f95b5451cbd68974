/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/json/jwrite.h"
#include "services/address.h"
#include "services/ends.h"
#include "services/table/table.h"
#include "services/tool.h"

/* Without a protocol a Service by hand is one of both: two entries, and one line "NONE". */
static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP};

static int read_service(const struct tool_options *o, struct table_service *s, uint8_t *out_proto,
			struct err *e)
{
	if (!o->service)
		return err_set(e, ERR_CONFIG, 0, "--service=IP:PORT[/tcp|/udp] is missing");
	if (address_read(o->service, &s->at, out_proto, e) < 0)
		return err_wrap(e, "--service");
	s->scope = o->scope;
	s->flags = SVC_BY_HAND;
	return 0;
}

/* What the tool has taken away is over at once, as it is by the daemon. */
static void end_sockets(const struct tool_options *o, struct ends *ends)
{
	AUTO(free) char *dir = load_dir(o->where.pins);
	struct err e = {0};
	size_t ended = 0;

	if (ends_run(ends, o->netns_dir, dir, &ended, &e) < 0)
		log_warn("UDP sockets of backends that are gone stay", "error", e.msg);
}

static int open_table(const struct tool_options *o, struct table **out, struct err *e)
{
	AUTO(free) char *dir = load_dir(o->where.pins);

	return table_open(dir, out, e);
}

int tool_svc_add(const struct tool_options *o, struct sb *out, struct err *e)
{
	AUTO(free) struct table_endpoint *backends = NULL;
	AUTO(table_free) struct table *t = NULL;
	AUTO(ends_done) struct ends ends = {0};
	struct table_service s = {.affinity_s = (uint32_t)o->affinity_s};
	AUTO(fd) int lock = -1;
	uint8_t proto = 0;

	(void)out;
	if (read_service(o, &s, &proto, e) < 0)
		return -1;
	if (!o->backends)
		return err_set(e, ERR_CONFIG, 0,
			       "--backend=IP:PORT,... is missing; --backend= for none");
	if (address_read_list(o->backends, s.at.addr.family, &backends, &s.n_backends, e) < 0)
		return err_wrap(e, "--backend");
	s.backends = backends;
	if (tool_lock(o->lock, &lock, e) < 0 || tool_have_loaded(o, e) < 0 ||
	    open_table(o, &t, e) < 0)
		return -1;
	table_on_gone(t, ends_note, &ends);
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		s.proto = protocols[i];
		if (proto && proto != s.proto)
			continue;
		if (table_put(t, &s, NULL, e) < 0)
			return -1;
	}
	end_sockets(o, &ends);
	return 0;
}

int tool_svc_del(const struct tool_options *o, struct sb *out, struct err *e)
{
	AUTO(table_free) struct table *t = NULL;
	AUTO(ends_done) struct ends ends = {0};
	struct table_service s = {0};
	AUTO(fd) int lock = -1;
	uint8_t proto = 0;
	int removed = 0;

	(void)out;
	if (read_service(o, &s, &proto, e) < 0 || tool_lock(o->lock, &lock, e) < 0 ||
	    open_table(o, &t, e) < 0)
		return -1;
	table_on_gone(t, ends_note, &ends);
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		int rc;

		s.proto = protocols[i];
		if (proto && proto != s.proto)
			continue;
		rc = table_remove(t, &s, true, e);
		if (rc < 0)
			return -1;
		removed += rc;
	}
	end_sockets(o, &ends);
	return removed ? 0 : err_set(e, ERR_NOT_FOUND, 0, "there is no Service %s", o->service);
}

/* ------------------------------------------------------------------------------- ls */
static bool same_backends(const struct table_service *a, const struct table_service *b)
{
	if (a->n_backends != b->n_backends)
		return false;
	for (size_t i = 0; i < a->n_backends; i++) {
		if (a->backends[i].port != b->backends[i].port ||
		    !ip_eq(&a->backends[i].addr, &b->backends[i].addr))
			return false;
	}
	return true;
}

/* The other protocol of a Service by hand that is for both. */
static const struct table_service *twin_of(const struct table_service *s,
					   const struct table_service *const *all, size_t n)
{
	for (size_t i = 0; s->flags & SVC_BY_HAND && i < n; i++) {
		const struct table_service *t = all[i];

		if (t != s && t->scope == s->scope && t->at.port == s->at.port &&
		    ip_eq(&t->at.addr, &s->at.addr) && t->flags == s->flags &&
		    t->affinity_s == s->affinity_s && same_backends(s, t))
			return t;
	}
	return NULL;
}

static const char *protocol_name(const struct table_service *s, const struct table_service *twin)
{
	if (twin)
		return "NONE";
	return s->proto == IPPROTO_TCP ? "TCP" : "UDP";
}

static void write_json(struct jw *w, const struct table_service *s, const char *protocol)
{
	char ip[IP_ADDR_LEN];

	jw_obj(w);
	jw_kv_i64(w, "id", s->id);
	jw_kv_str(w, "protocol", protocol);
	jw_kv_str(w, "address", ip_format(&s->at.addr, ip));
	jw_kv_i64(w, "port", s->at.port);
	jw_kv_i64(w, "scope", s->scope);
	jw_kv_bool(w, "byHand", s->flags & SVC_BY_HAND);
	jw_kv_i64(w, "affinitySeconds", s->affinity_s);
	jw_kv_arr(w, "backends");
	for (size_t i = 0; i < s->n_backends; i++) {
		jw_obj(w);
		jw_kv_str(w, "address", ip_format(&s->backends[i].addr, ip));
		jw_kv_i64(w, "port", s->backends[i].port);
		jw_end(w);
	}
	jw_end(w);
	jw_end(w);
}

static void add_line(struct grid *g, const struct table_service *s, const char *protocol)
{
	AUTO(free) char *id = xasprintf("%u", s->id);
	AUTO(free) char *port = xasprintf("%u", s->at.port);
	AUTO(sb_done) struct sb backends = SB_INIT;
	char ip[IP_ADDR_LEN];

	for (size_t i = 0; i < s->n_backends; i++) {
		address_print(&s->backends[i], &backends);
		sb_putc(&backends, ',');
	}
	grid_add(g,
		 (const char *const[]){id, protocol, ip_format(&s->at.addr, ip), port,
				       sb_get(&backends)},
		 5);
}

int tool_svc_ls(const struct tool_options *o, struct sb *out, struct err *e)
{
	AUTO(table_free) struct table *t = NULL;
	AUTO(grid_done) struct grid g = {0};
	AUTO(free) const struct table_service **all = NULL;
	struct jw w = jw_init(out);
	size_t n;

	if (open_table(o, &t, e) < 0)
		return -1;
	n = table_list(t, &all);
	grid_add(&g, (const char *const[]){"id", "pro", "service", "port", "backends"}, 5);
	if (o->json)
		jw_arr(&w);
	for (size_t i = 0; i < n; i++) {
		const struct table_service *twin = twin_of(all[i], all, n);
		const char *protocol = protocol_name(all[i], twin);

		if (twin && twin->id < all[i]->id)
			continue;
		if (o->json)
			write_json(&w, all[i], protocol);
		else
			add_line(&g, all[i], protocol);
	}
	if (o->json) {
		jw_end(&w);
		sb_putc(out, '\n');
		return 0;
	}
	sb_printf(out, "Service count: %zu\n", g.n - 1);
	grid_print(&g, out);
	return 0;
}
