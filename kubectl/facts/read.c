/* SPDX-License-Identifier: Apache-2.0 */
/* The lists, from the API server. */
#include "api/network.h"
#include "kubectl/facts/facts.h"
#include "lib/base/mem.h"
#include "lib/kube/path.h"
#include "lib/kube/wait.h"

struct reading {
	struct facts *facts;
	enum facts_kind kind;
	bool legacy;
};

static void begin(void *ctx)
{
	struct reading *r = ctx;

	facts_forget(r->facts, r->kind);
}

static int add(struct reading *r, const struct jval *obj, struct err *e)
{
	switch (r->kind) {
	case FACTS_SUBNETS:
		return facts_add_subnet(r->facts, obj, e);
	case FACTS_RECORDS:
		return facts_add_record(r->facts, obj, e);
	case FACTS_PODS:
		return facts_add_pod(r->facts, obj, r->legacy, e);
	case FACTS_NODES:
		return facts_add_node(r->facts, obj, e);
	case FACTS_EVENTS:
		return facts_add_event(r->facts, obj, e);
	}
	return 0;
}

/* One object that somebody wrote strangely must not hide the others. */
static int item(void *ctx, const struct jval *obj, struct err *e)
{
	struct reading *r = ctx;
	struct err why = {0};

	(void)e;
	if (add(r, obj, &why) < 0 && !r->facts->n_bad++)
		r->facts->bad = why;
	return 0;
}

int facts_read(struct facts *f, enum facts_kind kind, const struct facts_from *from, struct err *e)
{
	static const struct {
		const char *group, *plural;
	} where[] = {
		[FACTS_SUBNETS] = {API_GROUP_VERSION, API_PLURAL_SUBNET},
		[FACTS_RECORDS] = {API_GROUP_VERSION, API_PLURAL_IP},
		[FACTS_PODS] = {"v1", "pods"},
		[FACTS_NODES] = {"v1", "nodes"},
		[FACTS_EVENTS] = {"v1", "events"},
	};
	AUTO(free)
	char *path = kube_path(where[kind].group, from->ns, where[kind].plural, NULL, NULL);
	struct reading r = {f, kind, from->legacy};
	struct kube_list list = {.path = path,
				 .query = from->selectors,
				 .deadline_ms = from->deadline_ms,
				 .begin = begin,
				 .item = item,
				 .ctx = &r};

	begin(&r);
	return kube_list_all(from->client, &list, e);
}
