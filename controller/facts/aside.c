/* SPDX-License-Identifier: Apache-2.0 */
/* What a controller does while tandem is being removed: nothing. */
#include "controller/facts/internal.h"
#include "controller/process/process.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/json/jread.h"
#include "lib/kube/path.h"
#include "lib/kube/wait.h"

#define LOOK_MS 5000
#define WAIT_MS (3600 * 1000)

static int may_work(void *ctx, const struct jval *obj, struct err *e)
{
	struct settings_map *map;
	void *made = NULL;
	bool may;

	(void)ctx;
	if (!obj)
		return 1;
	if (settings_map_decode(NULL, obj, &made, e) < 0)
		return -1;
	map = made;
	may = !map->uninstall;
	settings_map_free(map);
	return may;
}

/* 1 = yes; 0 = not within that time; -1: it cannot be said. */
static int wait_to_work(const struct process *p, int64_t ms, struct err *e)
{
	AUTO(free) char *collection = kube_path("v1", p->system_ns, "configmaps", NULL, NULL);
	struct kube_wait wait = {.collection = collection,
				 .name = SETTINGS_PUBLISHED,
				 .ready = may_work,
				 .deadline_ms = clock_now_ms() + ms};

	if (kube_wait(p->client, &wait, e) == 0)
		return 1;
	return e->kind == ERR_TIMEOUT ? 0 : -1;
}

/* Whoever cannot be asked about it is no reason to stand by: what follows waits for the API server anyway. */
static bool is_told(const struct process *p)
{
	AUTO(free)
	char *path = kube_path("v1", p->system_ns, "configmaps", SETTINGS_PUBLISHED, NULL);
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct err e = {0};
	struct jval root;

	if (kube_get(p->client, path, clock_now_ms() + LOOK_MS, &doc, &e) < 0)
		return false;
	root = jdoc_root(doc);
	return may_work(NULL, &root, &e) == 0;
}

void facts_stand_aside(const struct process *p)
{
	struct err e = {0};
	int rc = 0;

	if (!is_told(p))
		return;
	log_info("tandem is being removed from the cluster: standing aside", "configmap",
		 SETTINGS_PUBLISHED, "key", SETTINGS_UNINSTALL);
	while (!rc)
		rc = wait_to_work(p, WAIT_MS, &e);
	log_info("the removal has been called off", "why", rc > 0 ? "the key is gone" : e.msg);
}
