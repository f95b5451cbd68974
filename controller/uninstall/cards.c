/* SPDX-License-Identifier: Apache-2.0 */
/* Which pods have a card: those that run, and whose record has an address. */
#include <stdlib.h>

#include "api/ip.h"
#include "controller/uninstall/internal.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/kube/json.h"
#include "lib/kube/path.h"

struct look {
	struct uninstall *u;
	struct map wanted; /* by the UID, of the pods that records name */
	struct names uids; /* their keys */
	struct names *out;
};

static int take_record(void *ctx, const struct jval *obj, struct err *e)
{
	struct look *l = ctx;
	struct jval spec = {0};
	const char *cidr = "", *uid = "";

	if (jget_obj(obj, "spec", &spec, e) < 0 || jget_str(&spec, "cidr", &cidr, e) < 0 ||
	    jget_str(&spec, "podId", &uid, e) < 0)
		return -1;
	if (!*cidr || !*uid || map_get(&l->wanted, uid))
		return 0;
	names_add(&l->uids, uid);
	map_put(&l->wanted, l->uids.v[l->uids.n - 1], l);
	return 0;
}

static int take_pod(void *ctx, const struct jval *obj, struct err *e)
{
	struct look *l = ctx;
	const char *uid = kube_json_meta(obj, "uid"), *phase = "";
	AUTO(free)
	char *name =
		xasprintf("%s/%s", kube_json_meta(obj, "namespace"), kube_json_meta(obj, "name"));
	struct jval status = {0};

	if (jget_obj(obj, "status", &status, e) < 0 ||
	    (jis_obj(&status) && jget_str(&status, "phase", &phase, e) < 0))
		return -1;
	if (!uid || !map_get(&l->wanted, uid) || str_eq(phase, "Succeeded") ||
	    str_eq(phase, "Failed"))
		return 0;
	if (!map_get(&l->u->with_card, uid)) {
		names_add(&l->u->uids, uid);
		map_put(&l->u->with_card, l->u->uids.v[l->u->uids.n - 1], l->u);
	}
	names_add(l->out, name);
	return 0;
}

int uninstall_cards(struct uninstall *u, struct names *out, struct err *e)
{
	AUTO(free)
	char *records = kube_path(API_GROUP_VERSION, NULL, API_PLURAL_IP, NULL, NULL);
	AUTO(free) char *pods = kube_path("v1", NULL, "pods", NULL, NULL);
	struct look l = {.u = u, .out = out};
	int rc = uninstall_each(u, records, NULL, take_record, &l, e);

	if (rc == 0 && l.uids.n)
		rc = uninstall_each(u, pods, NULL, take_pod, &l, e);
	map_done(&l.wanted);
	names_done(&l.uids);
	return rc;
}
