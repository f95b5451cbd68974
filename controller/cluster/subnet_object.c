/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/cluster/subnet_object.h"

#include <string.h>

#include "controller/rules/range.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/json/jread.h"
#include "lib/json/jwrite.h"

/* The numbers alone, so that even an allocation that cannot be read is never taken for a new one. */
static void read_term(const struct jval *allocation, struct subnet_object *o)
{
	struct jrange any = JRANGE(0, (int64_t)1 << 53);
	int64_t term = 0, commit = 0;
	const char *holder = "";
	struct err ignored;

	IGNORE(jget_i64(allocation, "term", any, &term, &ignored), "0 then");
	IGNORE(jget_i64(allocation, "commit", any, &commit, &ignored), "0 then");
	IGNORE(jget_str(allocation, "holder", &holder, &ignored), "empty then");
	o->term = (uint64_t)term;
	o->commit = (uint64_t)commit;
	o->holder = xstrdup(holder);
}

/* Only what status.c looks for: type, status and time. */
static char *copy_conditions(const struct jval *list)
{
	AUTO(sb_done) struct sb sb = SB_INIT;
	struct jw w = jw_init(&sb);
	struct jval item;
	struct err ignored;

	jw_arr(&w);
	for (struct jiter it = jiter_of(list); jiter_next(&it, &item);) {
		const char *type = "", *status = "", *when = "";

		if (!jis_obj(&item) || jget_str(&item, "type", &type, &ignored) < 0 ||
		    jget_str(&item, "status", &status, &ignored) < 0 ||
		    jget_str(&item, "lastTransitionTime", &when, &ignored) < 0)
			continue;
		jw_obj(&w);
		jw_kv_str(&w, "type", type);
		jw_kv_str(&w, "status", status);
		jw_kv_str(&w, "lastTransitionTime", when);
		jw_end(&w);
	}
	jw_end(&w);
	jw_finish(&w);
	return sb_take(&sb);
}

static int read_status(const struct jval *obj, struct subnet_object *o, struct err *e)
{
	struct jval status, allocation, conditions, journal;
	int rc = jget_obj(obj, "status", &status, e);
	struct err ignored;

	if (rc < 0)
		return -1;
	if (rc && jget_arr(&status, "conditions", &conditions, &ignored) == 1)
		o->conditions = copy_conditions(&conditions);
	if (rc && jget_obj(&status, "journal", &journal, &ignored) == 1)
		api_lines_read(&journal, &o->lines);
	if (rc)
		rc = jget_obj(&status, "allocation", &allocation, e);
	if (rc < 0)
		return -1;
	if (rc)
		read_term(&allocation, o);
	else
		o->holder = xstrdup("");
	if (ipam_allocation_decode(rc ? &allocation : NULL, &o->record, &ignored) < 0) {
		o->record_bad = true;
		return ipam_allocation_decode(NULL, &o->record, e);
	}
	return 0;
}

int subnet_object_decode(const struct jval *obj, struct subnet_object **out, struct err *e)
{
	AUTO(subnet_object_free) struct subnet_object *o = xcalloc(1, sizeof(*o));

	if (api_meta_decode(obj, &o->meta, e) < 0 || read_status(obj, o, e) < 0)
		return -1;
	if (api_subnet_decode(obj, &o->spec, &o->why) == 0 && range_check(o->spec, &o->why) < 0) {
		api_subnet_free(o->spec);
		o->spec = NULL;
	}
	*out = STEAL(o);
	return 0;
}

void subnet_object_free(struct subnet_object *o)
{
	if (!o)
		return;
	api_meta_done(&o->meta);
	api_subnet_free(o->spec);
	ipam_allocation_done(&o->record);
	api_lines_done(&o->lines);
	free(o->holder);
	free(o->conditions);
	free(o);
}
