/* SPDX-License-Identifier: Apache-2.0 */
#include "node/install/conf.h"

#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/cni/args.h"
#include "lib/json/jread.h"
#include "lib/json/jwrite.h"
#include "node/install/confs.h"

/* Older runtimes take cniVersion and do not look at the list; newer ones take its highest that they know. */
static const char *const versions[] = {"0.4.0", "1.0.0", "1.1.0"};

/* All that a primary's plugin may have declared: a runtime passes on only what the first conf declares. */
static const char *const capabilities[] = {
	"io.kubernetes.cri.pod-annotations",
	"portMappings",
	"bandwidth",
	"dns",
	"ipRanges",
	"ips",
	"mac",
	"aliases",
	"cgroupPath",
	"infinibandGUID",
	"deviceID",
};

static void write_capabilities(struct jw *w)
{
	jw_kv_obj(w, "capabilities");
	for (size_t i = 0; i < ARRAY_SIZE(capabilities); i++)
		jw_kv_bool(w, capabilities[i], true);
	jw_end(w);
}

static void write_orders(struct jw *w, const struct orders *f)
{
	uint32_t n;

	for (size_t i = 0; i < ORDERS_KEYS; i++) {
		const char *name = orders_key_name((enum orders_key)i);

		if (i != ORDERS_DEADLINE)
			jw_kv_opt(w, name, f->v[i]);
		else if (f->v[i] && parse_u32(f->v[i], UINT32_MAX, &n) == 0)
			jw_kv_i64(w, name, n);
	}
}

static void write_plugin(struct jw *w, const struct conf_keys *keys)
{
	jw_obj(w);
	jw_kv_str(w, "type", CONFS_PLUGIN);
	write_capabilities(w);
	jw_kv_str(w, "delegateFile", keys->delegate_file);
	jw_kv_opt(w, "socket", keys->socket);
	jw_kv_opt(w, "kubeconfig", keys->kubeconfig);
	jw_kv_opt(w, "systemNamespace", keys->system_ns);
	jw_kv_opt(w, "stateDir", keys->state_dir);
	write_orders(w, keys->orders);
	jw_end(w);
}

char *conf_render(const struct conf_keys *keys)
{
	AUTO(sb_done) struct sb out = SB_INIT;
	struct jw w = jw_init(&out);

	jw_obj(&w);
	jw_kv_str(&w, "cniVersion", versions[0]);
	jw_kv_arr(&w, "cniVersions");
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++)
		jw_str(&w, versions[i]);
	jw_end(&w);
	jw_kv_str(&w, "name", keys->network);
	jw_kv_arr(&w, "plugins");
	write_plugin(&w, keys);
	jw_end(&w);
	jw_end(&w);
	jw_finish(&w);
	sb_putc(&out, '\n');
	return sb_take(&out);
}

/* ------------------------------------------------------------------------------- reading */

void conf_read_done(struct conf_read *r)
{
	free(r->network);
	free(r->delegate_file);
	orders_done(&r->orders);
	*r = (struct conf_read){0};
}

/* Our plugin's member; 0 there is none. */
static int find_plugin(const struct jval *root, struct jval *out, struct err *e)
{
	struct jval list = {0};
	const char *type;
	struct jiter it;

	if (jget_arr(root, "plugins", &list, e) < 0)
		return -1;
	for (it = jiter_of(&list); jiter_next(&it, out);) {
		struct err none = {0};

		if (jis_obj(out) && jget_str(out, "type", &type, &none) > 0 &&
		    str_eq(type, CONFS_PLUGIN))
			return 1;
	}
	return 0;
}

/* An array of networks is the hand-written form; it comes again from the cluster. What is no value is not known, then. */
static void read_order(const struct jval *plugin, enum orders_key key, struct orders *f)
{
	const char *name = orders_key_name(key), *value = NULL;
	AUTO(free) char *number = NULL;
	struct err e = {0};
	int64_t n;

	if (key != ORDERS_DEADLINE && jget_str(plugin, name, &value, &e) < 0)
		value = NULL;
	if (key == ORDERS_DEADLINE && jget_i64(plugin, name, JRANGE(1, 60), &n, &e) > 0)
		value = number = xasprintf("%d", (int)n);
	IGNORE(orders_set(f, key, value) < 0, "said above");
}

static void read_orders(const struct jval *plugin, struct orders *f)
{
	for (int i = 0; i < ORDERS_KEYS; i++)
		read_order(plugin, (enum orders_key)i, f);
}

int conf_parse(const char *what, const char *text, size_t len, struct conf_read *out, struct err *e)
{
	AUTO(conf_read_done) struct conf_read r = {0};
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	const char *network, *file = NULL;
	struct jval root, plugin;
	int rc;

	if (jdoc_parse(what, text, len, &doc, e) < 0)
		return -1;
	root = jdoc_root(doc);
	if (jas_obj(&root, e) < 0 || jneed_str(&root, "name", &network, e) < 0)
		return -1;
	rc = find_plugin(&root, &plugin, e);
	if (rc < 0 || (rc && jget_str(&plugin, "delegateFile", &file, e) < 0))
		return -1;
	if (!rc || cni_name_check(network) < 0)
		return err_set(e, ERR_CONFIG, 0, "%s: not a conflist of ours", what);
	r.network = xstrdup(network);
	r.delegate_file = xstrdup(file);
	read_orders(&plugin, &r.orders);
	*out = r;
	r = (struct conf_read){0};
	return 0;
}
