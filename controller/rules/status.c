/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/rules/status.h"

#include "controller/rules/conditions.h"
#include "controller/rules/largest.h"
#include "controller/rules/numbers.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/json/jwrite.h"

static const char *phase(const struct status_in *in)
{
	if (in->meta->deletion)
		return "Terminating";
	return in->spec ? "Active" : "Invalid";
}

char *status_text(const struct status_in *in)
{
	AUTO(sb_done) struct sb sb = SB_INIT;
	struct ipam_counts counts =
		numbers_count(&in->record->pool, in->range, in->range6, in->named, NULL);
	struct numbers n = numbers_of(&counts, in->n_held);
	const struct api_network *net = in->spec ? &in->spec->network : NULL;
	struct condition c[CONDITIONS];
	struct jw w = jw_init(&sb);
	char gateway[IP_ADDR_LEN];

	jw_obj(&w);
	jw_kv_str(&w, "phase", phase(in));
	jw_kv_i64(&w, "observedGeneration", in->meta->generation);
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
	largest_write(&w, in->largest ? in->largest : &(struct largest){0});
	if (in->doctor)
		jw_kv_raw(&w, "doctor", jspan_of(in->doctor));
	else
		jw_kv_str(&w, "doctor", NULL);
	jw_kv_arr(&w, "conditions");
	conditions_write(&w, in, c, conditions_make(in, c));
	jw_end(&w);
	jw_end(&w);
	jw_finish(&w);
	/* "{...}" without its braces. */
	return xstrndup(sb_get(&sb) + 1, sb.len - 2);
}
