/* SPDX-License-Identifier: Apache-2.0 */
/* What the controller has made, its marks on what users have made, and at last the definitions. */
#include <stdlib.h>

#include "api/ip.h"
#include "api/journal.h"
#include "api/service.h"
#include "controller/uninstall/internal.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/json/jwrite.h"
#include "lib/kube/json.h"
#include "lib/kube/path.h"

#define LEASE "tandem-controller"
/* What is made for a Service has both labels. */
#define MADE "labelSelector=tandem-cni.io/service,app.kubernetes.io/managed-by%3D" API_MADE_BY

struct collection {
	struct uninstall *u;
	const char *group_version, *plural, *finalizer;
	size_t n;
	struct names *left;
};

static char *path_of(const struct collection *c, const struct jval *obj)
{
	return kube_path(c->group_version, kube_json_meta(obj, "namespace"), c->plural,
			 kube_json_meta(obj, "name"), NULL);
}

static int each(struct collection *c, const char *query, uninstall_item_fn *item, struct err *e)
{
	AUTO(free) char *path = kube_path(c->group_version, NULL, c->plural, NULL, NULL);

	if (uninstall_each(c->u, path, query, item, c, e) < 0)
		return err_wrap(e, "%s", c->plural);
	return 0;
}

/* ------------------------------------------------------------------------------- made for Services */

static int delete_made(void *ctx, const struct jval *obj, struct err *e)
{
	struct collection *c = ctx;
	AUTO(free) char *path = path_of(c, obj);

	c->n++;
	return uninstall_delete(c->u, path, e);
}

static int delete_all_made(struct uninstall *u, const char *group_version, const char *plural,
			   struct err *e)
{
	struct collection c = {.u = u, .group_version = group_version, .plural = plural};

	return each(&c, MADE, delete_made, e);
}

/* ------------------------------------------------------------------------------- finalizers */

/* The others' stay. False = it has not that one. */
static bool without(const struct jval *obj, const char *finalizer, struct sb *body)
{
	struct err ignored = {0};
	struct jval meta = {0}, list = {0}, item;
	struct jw w = jw_init(body);
	bool has = false;

	IGNORE(jget_obj(obj, "metadata", &meta, &ignored), "then it has none");
	IGNORE(jis_obj(&meta) ? jget_arr(&meta, "finalizers", &list, &ignored) : 0, "likewise");
	jw_obj(&w);
	jw_kv_obj(&w, "metadata");
	jw_kv_arr(&w, "finalizers");
	for (struct jiter it = jiter_of(&list); jiter_next(&it, &item);) {
		if (str_eq(jstr(&item), finalizer))
			has = true;
		else
			jw_str(&w, jstr(&item));
	}
	jw_end(&w);
	jw_end(&w);
	jw_end(&w);
	jw_finish(&w);
	return has;
}

static int release(const struct collection *c, const struct jval *obj, struct err *e)
{
	AUTO(sb_done) struct sb body = SB_INIT;
	AUTO(free) char *path = path_of(c, obj);

	return without(obj, c->finalizer, &body) ? uninstall_patch(c->u, path, sb_get(&body), e)
						 : 0;
}

static int release_subnet(void *ctx, const struct jval *obj, struct err *e)
{
	return release(ctx, obj, e);
}

/* A record of a pod that runs goes with its pod, since nobody keeps it any more. */
static int release_record(void *ctx, const struct jval *obj, struct err *e)
{
	struct collection *c = ctx;
	AUTO(free) char *path = path_of(c, obj);
	struct jval spec = {0};
	const char *uid = "";

	if (release(c, obj, e) < 0 || jget_obj(obj, "spec", &spec, e) < 0 ||
	    (jis_obj(&spec) && jget_str(&spec, "podId", &uid, e) < 0))
		return -1;
	return map_get(&c->u->with_card, uid) ? 0 : uninstall_delete(c->u, path, e);
}

/* Who had which address is known to the log alone from here on. */
static int delete_journal(struct uninstall *u, struct err *e)
{
	for (size_t i = 0; i < API_JOURNAL_PARTS_MAX; i++) {
		AUTO(free) char *name = xasprintf(API_JOURNAL_PART "%zu", i);
		AUTO(free) char *path = kube_path("v1", u->system_ns, "configmaps", name, NULL);

		if (uninstall_delete(u, path, e) < 0)
			return err_wrap(e, "the journal");
	}
	return 0;
}

int uninstall_objects(struct uninstall *u, struct err *e)
{
	struct collection records = {.u = u,
				     .group_version = API_GROUP_VERSION,
				     .plural = API_PLURAL_IP,
				     .finalizer = API_FINALIZER_ADDRESS};
	struct collection subnets = {.u = u,
				     .group_version = API_GROUP_VERSION,
				     .plural = API_PLURAL_SUBNET,
				     .finalizer = API_FINALIZER_IN_USE};
	AUTO(free)
	char *lease = kube_path("coordination.k8s.io/v1", u->system_ns, "leases", LEASE, NULL);

	if (delete_all_made(u, "discovery.k8s.io/v1", "endpointslices", e) < 0 ||
	    delete_all_made(u, "v1", "endpoints", e) < 0 ||
	    delete_all_made(u, "v1", "services", e) < 0 ||
	    each(&records, NULL, release_record, e) < 0 ||
	    each(&subnets, NULL, release_subnet, e) < 0 || delete_journal(u, e) < 0)
		return -1;
	return uninstall_delete(u, lease, e);
}

/* ------------------------------------------------------------------------------- the definitions */

static int note_left(void *ctx, const struct jval *obj, struct err *e)
{
	struct collection *c = ctx;
	AUTO(free)
	char *name = xasprintf("%s/%s/%s", c->plural, kube_json_meta(obj, "namespace"),
			       kube_json_meta(obj, "name"));

	(void)e;
	names_add(c->left, name);
	return 0;
}

int uninstall_kinds(const struct uninstall *u, struct names *left, struct err *e)
{
	static const char *const plurals[] = {API_PLURAL_IP, API_PLURAL_SUBNET};

	for (size_t i = 0; i < ARRAY_SIZE(plurals); i++) {
		struct collection c = {.u = (struct uninstall *)u,
				       .group_version = API_GROUP_VERSION,
				       .plural = plurals[i],
				       .left = left};

		if (each(&c, NULL, note_left, e) < 0)
			return -1;
	}
	if (left->n)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(plurals); i++) {
		AUTO(free) char *name = xasprintf("%s." API_GROUP, plurals[i]);
		AUTO(free)
		char *path = kube_path("apiextensions.k8s.io/v1", NULL, "customresourcedefinitions",
				       name, NULL);

		if (uninstall_delete(u, path, e) < 0)
			return -1;
	}
	return 1;
}
