#include "controller/status.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/json/jwrite.h"

struct condition {
	const char *type;
	bool holds;
	const char *reason;
	const char *message;
};

/* The time of a condition that stands with the same truth already. */
static bool old_time(const char *conditions, const struct condition *c, char out[CLOCK_RFC3339_LEN])
{
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct err ignored = {0};
	struct jval root, item;

	if (!conditions ||
	    jdoc_parse("conditions", conditions, strlen(conditions), &doc, &ignored) < 0)
		return false;
	root = jdoc_root(doc);
	for (struct jiter it = jiter_of(&root); jiter_next(&it, &item);) {
		const char *type = "", *status = "", *when = "";

		if (!jis_obj(&item) || jget_str(&item, "type", &type, &ignored) < 0 ||
		    jget_str(&item, "status", &status, &ignored) < 0 ||
		    jget_str(&item, "lastTransitionTime", &when, &ignored) < 0)
			continue;
		if (str_eq(type, c->type) && str_eq(status, c->holds ? "True" : "False") && *when)
			return str_copy(out, CLOCK_RFC3339_LEN, when) == 0;
	}
	return false;
}

static void write_condition(struct jw *w, const struct status_in *in, const struct condition *c)
{
	char when[CLOCK_RFC3339_LEN];

	if (!old_time(in->obj->conditions, c, when))
		clock_rfc3339(in->now_s, when);
	jw_obj(w);
	jw_kv_str(w, "type", c->type);
	jw_kv_str(w, "status", c->holds ? "True" : "False");
	jw_kv_str(w, "reason", c->reason);
	jw_kv_str(w, "message", c->message);
	jw_kv_str(w, "lastTransitionTime", when);
	jw_kv_i64(w, "observedGeneration", in->obj->meta.generation);
	jw_end(w);
}

static void write_ready(struct jw *w, const struct status_in *in)
{
	struct condition c = {"Ready", true, "Serving", "addresses are given"};

	if (!in->obj->spec) {
		c = (struct condition){"Ready", false, "Invalid", in->obj->why.msg};
	} else if (in->obj->meta.deletion) {
		c = (struct condition){"Ready", false, "Terminating",
				       "no new addresses; goes when its last record has gone"};
	} else if (!in->range->n) {
		c = (struct condition){
			"Ready", false, "NoAddresses",
			"no address is left after gateway, exclude, nodes' addresses "
			"and other subnets"};
	}
	write_condition(w, in, &c);
}

static void write_conditions(struct jw *w, const struct status_in *in, const struct ipam_counts *n)
{
	struct condition c = {"Exhausted", false, "AddressesFree", "addresses are free"};
	int64_t next = ipam_pool_next_expiry(&in->record->pool, in->range);
	char message[200], when[CLOCK_RFC3339_LEN];

	jw_kv_arr(w, "conditions");
	write_ready(w, in);
	if (in->obj->spec && n->total && !n->free) {
		snprintf(message, sizeof(message), "all %zu addresses are used%s%s%s%s", n->total,
			 n->cooling ? " or cooling" : "",
			 n->named ? " or kept for workloads that name them" : "",
			 next ? "; the next one is free at " : "",
			 next ? clock_rfc3339(next, when) : "");
		c = (struct condition){"Exhausted", true, "NoFreeAddress", message};
	}
	write_condition(w, in, &c);
	if (*in->overlap) {
		c = (struct condition){"Overlap", true, "SharedAddresses", in->overlap};
		write_condition(w, in, &c);
	}
	jw_end(w);
}

struct ipam_counts status_counts(const struct ipam_pool *pool, const struct ipam_set *range,
				 const struct ipam_set *range6, const struct ipam_set *named,
				 uint8_t *family)
{
	uint8_t ignored, *f = family ? family : &ignored;
	struct ipam_counts n, n6;

	*f = 0;
	n = ipam_pool_count(pool, range, named, range6 ? AF_INET : 0);
	if (!range6)
		return n;
	n6 = ipam_pool_count(pool, range6, named, AF_INET6);
	*f = n6.free < n.free ? AF_INET6 : AF_INET;
	return *f == AF_INET6 ? n6 : n;
}

static const char *phase(const struct status_in *in)
{
	if (in->obj->meta.deletion)
		return "Terminating";
	return in->obj->spec ? "Active" : "Invalid";
}

char *status_text(const struct status_in *in)
{
	AUTO(sb_done) struct sb sb = SB_INIT;
	struct ipam_counts n = status_counts(&in->record->pool, in->range, in->range6, in->named, NULL);
	const struct api_network *net = in->obj->spec ? &in->obj->spec->network : NULL;
	struct jw w = jw_init(&sb);
	char gateway[IP_ADDR_LEN];
	size_t held = in->n_held < n.used ? in->n_held : n.used;

	jw_obj(&w);
	jw_kv_str(&w, "phase", phase(in));
	jw_kv_i64(&w, "observedGeneration", in->obj->meta.generation);
	jw_kv_str(&w, "mode", net ? api_mode_name(net->mode) : NULL);
	jw_kv_str(&w, "gateway",
		  net && ip_is_set(&net->gateway) ? ip_format(&net->gateway, gateway) : NULL);
	jw_kv_str(&w, "gateway6",
		  net && ip_is_set(&net->gateway6) ? ip_format(&net->gateway6, gateway) : NULL);
	jw_kv_i64(&w, "total", (int64_t)n.total);
	jw_kv_i64(&w, "used", (int64_t)(n.used - held));
	jw_kv_i64(&w, "free", (int64_t)n.free);
	jw_kv_i64(&w, "reserved", (int64_t)(held + n.named));
	jw_kv_i64(&w, "cooling", (int64_t)n.cooling);
	write_conditions(&w, in, &n);
	jw_end(&w);
	jw_finish(&w);
	/* "{...}" without its braces. */
	return xstrndup(sb_get(&sb) + 1, sb.len - 2);
}
