#include "controller/status.h"

#include "controller/conditions.h"
#include "controller/sub.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/json/jwrite.h"

struct status_in status_of(const struct sub *sub, const struct ipam_record *record)
{
	return (struct status_in){
		.obj = sub->obj,
		.record = record,
		.range = &sub->range,
		.range6 = sub_range6(sub),
		.named = &sub->named,
		.overlap = sub->overlap,
		.n_held = sub->n_held,
		.n_waiting = sub->n_queue,
		.conditions = sub->conditions,
		.conflicts_until_s = sub->conflicts_until_s,
		.conflicts_reason = sub->conflicts_reason,
		.conflicts_why = sub->conflicts_why,
		.now_s = app_now_s(sub->app),
	};
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

size_t status_quarantined(const struct ipam_record *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->pool.n_cooling; i++) {
		if (r->pool.cooling[i].quarantine)
			n += ipam_set_count(&r->pool.cooling[i].set);
	}
	return n;
}

static const char *phase(const struct status_in *in)
{
	if (in->obj->meta.deletion)
		return "Terminating";
	return in->obj->spec ? "Active" : "Invalid";
}

struct status_numbers status_numbers(const struct status_in *in)
{
	struct ipam_counts n =
		status_counts(&in->record->pool, in->range, in->range6, in->named, NULL);
	size_t held = in->n_held < n.used ? in->n_held : n.used;

	return (struct status_numbers){
		.total = n.total,
		.used = n.used - held,
		.free = n.free,
		.reserved = held + n.named,
		.cooling = n.cooling,
		.quarantined = n.quarantined,
	};
}

char *status_text(const struct status_in *in)
{
	AUTO(sb_done) struct sb sb = SB_INIT;
	struct status_numbers n = status_numbers(in);
	const struct api_network *net = in->obj->spec ? &in->obj->spec->network : NULL;
	struct condition c[CONDITIONS];
	struct jw w = jw_init(&sb);
	char gateway[IP_ADDR_LEN];

	jw_obj(&w);
	jw_kv_str(&w, "phase", phase(in));
	jw_kv_i64(&w, "observedGeneration", in->obj->meta.generation);
	jw_kv_str(&w, "mode", net ? nl_link_mode_get(net->mode)->name : NULL);
	jw_kv_str(&w, "gateway",
		  net && ip_is_set(&net->gateway) ? ip_format(&net->gateway, gateway) : NULL);
	jw_kv_str(&w, "gateway6",
		  net && ip_is_set(&net->gateway6) ? ip_format(&net->gateway6, gateway) : NULL);
	jw_kv_i64(&w, "total", (int64_t)n.total);
	jw_kv_i64(&w, "used", (int64_t)n.used);
	jw_kv_i64(&w, "free", (int64_t)n.free);
	jw_kv_i64(&w, "reserved", (int64_t)n.reserved);
	jw_kv_i64(&w, "cooling", (int64_t)n.cooling);
	jw_kv_i64(&w, "quarantined", (int64_t)n.quarantined);
	jw_kv_arr(&w, "conditions");
	conditions_write(&w, in, c, conditions_make(in, c));
	jw_end(&w);
	jw_end(&w);
	jw_finish(&w);
	/* "{...}" without its braces. */
	return xstrndup(sb_get(&sb) + 1, sb.len - 2);
}
