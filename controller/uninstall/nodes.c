/* SPDX-License-Identifier: Apache-2.0 */
/* Each node takes away what it has, and says so in an annotation of its Node. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "api/node.h"
#include "controller/uninstall/internal.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/json/jwrite.h"
#include "lib/kube/json.h"
#include "lib/kube/path.h"

#define PREFIX "tandem-cni.io/"
/* tandem-node's pods: which nodes there are to wait for, also those that have said nothing yet. */
#define DAEMONS "labelSelector=app.kubernetes.io/name%3Dtandem,app.kubernetes.io/component%3Dnode"

/* The nodes as one look finds them. */
struct look {
	struct map daemons; /* by the node's name */
	struct names names; /* their keys */
	struct names ready, away;
	const struct uninstall *u;
};

static void look_done(struct look *l)
{
	map_done(&l->daemons);
	names_done(&l->names);
	names_done(&l->ready);
	names_done(&l->away);
}
DEFINE_AUTO_VALUE(struct look, look_done)

static int take_daemon(void *ctx, const struct jval *obj, struct err *e)
{
	struct look *l = ctx;
	struct jval spec = {0};
	const char *node = "";

	if (jget_obj(obj, "spec", &spec, e) < 0 || jget_str(&spec, "nodeName", &node, e) < 0)
		return -1;
	if (!*node || map_get(&l->daemons, node))
		return 0;
	names_add(&l->names, node);
	map_put(&l->daemons, l->names.v[l->names.n - 1], l);
	return 0;
}

static int annotations_of(const struct jval *obj, struct jval *out, struct err *e)
{
	struct jval meta = {0};

	if (jget_obj(obj, "metadata", &meta, e) < 0)
		return -1;
	return jget_obj(&meta, "annotations", out, e) < 0 ? -1 : 0;
}

static int is_ready(const struct jval *obj, bool *out, struct err *e)
{
	struct jval status = {0};

	*out = false;
	if (jget_obj(obj, "status", &status, e) < 0)
		return -1;
	return jis_obj(&status) ? api_is_ready(&status, out, e) : 0;
}

/* What its daemon says of itself; "" where it has said nothing. What cannot be read is not "removed". */
static void state_of(const struct jval *annotations, char *out, size_t size)
{
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	const char *text = "", *state = "unknown";
	struct err ignored = {0};
	struct jval root;

	*out = '\0';
	if (!jis_obj(annotations) ||
	    jget_str(annotations, API_ANNOTATION_NODE, &text, &ignored) <= 0 || !*text)
		return;
	root = jdoc_parse("annotation", text, strlen(text), &doc, &ignored) == 0 ? jdoc_root(doc)
										 : (struct jval){0};
	if (!jis_obj(&root) || jget_str(&root, "state", &state, &ignored) < 0)
		state = "unknown";
	snprintf(out, size, "%s", state);
}

static int take_node(void *ctx, const struct jval *obj, struct err *e)
{
	struct look *l = ctx;
	const char *name = kube_json_meta(obj, "name");
	struct jval annotations = {0};
	AUTO(free) char *text = NULL;
	char state[32];
	bool ready;

	if (!name || annotations_of(obj, &annotations, e) < 0 || is_ready(obj, &ready, e) < 0)
		return -1;
	state_of(&annotations, state, sizeof(state));
	if (str_eq(state, API_NODE_REMOVED) || (!*state && !map_get(&l->daemons, name)))
		return 0;
	text = *state ? xasprintf("%s (%s)", name, state) : xstrdup(name);
	names_add(ready ? &l->ready : &l->away, text);
	return 0;
}

/*
 * Who has been told before and says nothing may have been asked to forget it: only those count then that say
 * something else.
 */
static int look(struct look *l, bool was_told, struct err *e)
{
	AUTO(free) char *nodes = kube_path("v1", NULL, "nodes", NULL, NULL);
	AUTO(free) char *pods = kube_path("v1", l->u->system_ns, "pods", NULL, NULL);

	if (!was_told && uninstall_each(l->u, pods, DAEMONS, take_daemon, l, e) < 0)
		return -1;
	return uninstall_each(l->u, nodes, NULL, take_node, l, e);
}

int uninstall_nodes(const struct uninstall *u, bool was_told, struct err *e)
{
	int64_t until = clock_now_ms() + u->timeout_ms;

	for (;;) {
		AUTO(look_done) struct look l = {.u = u};
		AUTO(free) char *ready = NULL, *away = NULL;

		if (look(&l, was_told, e) < 0)
			return -1;
		if (!l.ready.n && !l.away.n)
			return 0;
		if (clock_now_ms() < until) {
			uninstall_pause(u);
			continue;
		}
		away = names_text(&l.away);
		ready = names_text(&l.ready);
		if (l.away.n)
			log_warn(
				"nodes that are not ready are left as they are: tandem's files are still there",
				"nodes", away);
		if (!l.ready.n)
			return 0;
		return err_set(e, ERR_TIMEOUT, 0,
			       "%zu nodes have not said that tandem is gone: %.300s; look at "
			       "tandem-node's log there, and run this again",
			       l.ready.n, ready);
	}
}

static int forget(void *ctx, const struct jval *obj, struct err *e)
{
	const struct uninstall *u = ctx;
	AUTO(free) char *path = NULL;
	AUTO(sb_done) struct sb body = SB_INIT;
	struct jval annotations = {0}, item;
	struct jw w = jw_init(&body);
	bool any = false;

	if (annotations_of(obj, &annotations, e) < 0)
		return -1;
	jw_obj(&w);
	jw_kv_obj(&w, "metadata");
	jw_kv_obj(&w, "annotations");
	for (struct jiter it = jiter_of(&annotations); jiter_next(&it, &item);) {
		if (!str_starts(item.key, PREFIX))
			continue;
		jw_kv_str(&w, item.key, NULL);
		any = true;
	}
	jw_end(&w);
	jw_end(&w);
	jw_end(&w);
	jw_finish(&w);
	path = kube_path("v1", NULL, "nodes", kube_json_meta(obj, "name"), NULL);
	return any ? uninstall_patch(u, path, sb_get(&body), e) : 0;
}

int uninstall_forget_nodes(const struct uninstall *u, struct err *e)
{
	AUTO(free) char *nodes = kube_path("v1", NULL, "nodes", NULL, NULL);

	return uninstall_each(u, nodes, NULL, forget, (void *)u, e);
}
