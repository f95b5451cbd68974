/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "delegate/chain_priv.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/cni/conf.h"
#include "lib/json/jread.h"
#include "lib/json/jwrite.h"

void chain_free(struct chain *c)
{
	size_t i;

	if (!c)
		return;
	for (i = 0; i < c->n; i++)
		free(c->v[i].type);
	free(c->v);
	free(c->text);
	free(c->name);
	free(c->note);
	free(c);
}

struct chain *chain_none(const char *name, enum cni_version version)
{
	struct chain *c = xcalloc(1, sizeof(*c));

	c->text = xstrdup("");
	c->name = xstrdup(name);
	c->version = version;
	return c;
}

const char *chain_name(const struct chain *c)
{
	return c->name;
}

enum cni_version chain_version(const struct chain *c)
{
	return c->version;
}

size_t chain_len(const struct chain *c)
{
	return c->n;
}

const char *chain_type(const struct chain *c, size_t i)
{
	return c->v[i].type;
}

struct jspan chain_conf(const struct chain *c, size_t i)
{
	return c->v[i].conf;
}

bool chain_drop(struct chain *c, const char *type)
{
	size_t to = 0, was = c->n;

	for (size_t i = 0; i < c->n; i++) {
		if (str_eq(c->v[i].type, type))
			free(c->v[i].type);
		else
			c->v[to++] = c->v[i];
	}
	c->n = to;
	return to < was;
}

const char *chain_note(const struct chain *c)
{
	return c->note;
}

static void add_note(struct chain *c, const char *note)
{
	char *all;

	if (!*note)
		return;
	all = xasprintf("%s%s%s", c->note ? c->note : "", c->note ? "; " : "", note);
	free(c->note);
	c->note = all;
}

static int read_name(struct chain *c, const struct chain_source *src, const struct jval *root,
		     struct err *e)
{
	const char *name = NULL;

	if (jget_str(root, "name", &name, e) < 0)
		return -1;
	if (!name || !*name)
		name = src->fallback_name;
	if (!name || !*name)
		return jerr(root, "name", e, ERR_CONFIG, "is missing");
	if (cni_name_check(name) < 0)
		return jerr(root, "name", e, ERR_CONFIG, "\"%.64s\" is not a network name", name);
	if (src->fallback_name && !str_eq(name, src->fallback_name))
		c->note = xasprintf("%s: its network is named \"%s\", ours \"%s\"; runtimes clean "
				    "up by our name, plugins by theirs; use one name",
				    src->what, name, src->fallback_name);
	c->name = xstrdup(name);
	return 0;
}

/* The highest that we know of cniVersion and cniVersions; without any it is the oldest, by the spec. */
static int read_version(struct chain *c, const struct jval *root, struct err *e)
{
	struct jval list = {0}, item;
	struct err ignored = {0};
	struct jiter it;
	enum cni_version v;
	const char *s = "";
	int best = -1;

	if (jget_str(root, "cniVersion", &s, e) < 0)
		return -1;
	/* Not known to every libcni: what is no list of versions is not there. */
	IGNORE(jget_arr(root, "cniVersions", &list, &ignored), "said above");
	if (!*s && jlen(&list) == 0)
		s = cni_version_name(CNI_VERSION_OLDEST);
	if (cni_version_parse(s, &v) == 0)
		best = (int)v;
	for (it = jiter_of(&list); jiter_next(&it, &item);) {
		if (jstr(&item) && cni_version_parse(jstr(&item), &v) == 0 && (int)v > best)
			best = (int)v;
	}
	if (best < 0)
		return jerr(root, "cniVersion", e, ERR_VERSION, "\"%.32s\" is not known", s);
	c->version = (enum cni_version)best;
	return 0;
}

static int add_plugin(struct chain *c, const struct chain_source *src, const struct jval *v,
		      struct jspan conf, struct err *e)
{
	const char *type = NULL;

	if (jas_obj(v, e) < 0 || jget_str(v, "type", &type, e) < 0)
		return -1;
	if (!type || !*type)
		return jerr(v, "type", e, ERR_CONFIG, "is missing");
	if (strchr(type, '/') || str_eq(type, ".") || str_eq(type, ".."))
		return jerr(v, "type", e, ERR_CONFIG, "\"%.64s\" is not a plugin type", type);
	if (str_eq(type, src->own_type))
		return jerr(v, "type", e, ERR_CONFIG, "\"%s\" must not run itself", type);
	c->v = xreallocarray(c->v, c->n + 1, sizeof(*c->v));
	c->v[c->n++] = (struct chain_plugin){.type = xstrdup(type), .conf = conf};
	return 0;
}

static int read_plugins(struct chain *c, const struct chain_source *src, const struct jval *list,
			struct jspan text, struct err *e)
{
	struct jspan spans = {0}, conf;
	struct jspan_iter at;
	struct jiter it = jiter_of(list);
	struct jval v;

	jspan_find(text, "plugins", &spans);
	/* Two views of one array: values to check, bytes to keep. */
	for (at = jspan_begin(spans); jspan_next_element(&at, &conf) && jiter_next(&it, &v);) {
		if (add_plugin(c, src, &v, conf, e) < 0)
			return -1;
	}
	return 0;
}

/* The keys of a list itself are found as they are written, those of a plugin's conf as Go finds a field. */
static int read_list(struct chain *c, const struct chain_source *src, struct jdoc *doc,
		     struct err *e)
{
	struct jspan text = {c->text, src->text.len};
	struct jval root = jdoc_root(doc), list = {0};
	struct err why = {0};

	if (read_name(c, src, &root, e) < 0 || read_version(c, &root, e) < 0 ||
	    jget_arr(&root, "plugins", &list, e) < 0 ||
	    jget_bool_lax(&root, "disableCheck", &c->disable_check, e) < 0)
		return -1;
	/* A libcni of before 1.2 does not know it. */
	if (jget_bool_lax(&root, "disableGC", &c->disable_gc, &why) < 0)
		add_note(c, why.msg);
	jdoc_any_case(doc);
	if (list.node && read_plugins(c, src, &list, text, e) < 0)
		return -1;
	return c->n ? 0 : jerr(&root, "plugins", e, ERR_CONFIG, "there are none");
}

static int read_single(struct chain *c, const struct chain_source *src, struct jdoc *doc,
		       struct err *e)
{
	struct jspan text = {c->text, src->text.len};
	struct jval root = jdoc_root(doc);

	jdoc_any_case(doc);
	if (read_name(c, src, &root, e) < 0 || read_version(c, &root, e) < 0)
		return -1;
	return add_plugin(c, src, &root, text, e);
}

/*
 * libcni goes by the file's name: a list is a *.conflist, whatever type was left in it, all else is one plugin's conf,
 * whatever plugins were. We take for what it is, beyond that, what libcni refuses. Without a name plugins count.
 */
static bool is_list(const struct chain_source *src, struct jspan text, const struct jval *root)
{
	struct jspan ignored;
	struct jval plugins = {0};
	struct err none = {0};

	if (!jspan_find_any(text, "type", &ignored))
		return true;
	return !src->by_type && jget_arr(root, "plugins", &plugins, &none) > 0 && jlen(&plugins);
}

char *chain_list(const struct chain *c)
{
	AUTO(sb_done) struct sb sb = SB_INIT;
	struct jw w = jw_init(&sb);
	struct jspan plugins;

	/* The one plugin's conf is the whole text, then. */
	if (c->n != 1 || c->v[0].conf.p != c->text ||
	    !jspan_find(c->v[0].conf, "plugins", &plugins))
		return NULL;
	jw_obj(&w);
	jw_kv_str(&w, "cniVersion", cni_version_name(c->version));
	jw_kv_str(&w, "name", c->name);
	jw_kv_arr(&w, "plugins");
	jw_raw(&w, c->v[0].conf);
	jw_end(&w);
	jw_end(&w);
	return sb_take(&sb);
}

int chain_load(const struct chain_source *src, struct chain **out, struct err *e)
{
	AUTO(chain_free) struct chain *c = NULL;
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	char note[JSCAN_NOTE_LEN];
	struct jval root;
	struct jspan text;
	int rc;

	if (src->text.len > CNI_CONF_MAX)
		return err_set(e, ERR_DECODE, 0, "%s: larger than %d bytes", src->what,
			       CNI_CONF_MAX);
	if (jdoc_parse_lax(src->what, src->text, &doc, note, e) < 0)
		return -1;
	root = jdoc_root(doc);
	if (jas_obj(&root, e) < 0)
		return -1;
	c = xcalloc(1, sizeof(*c));
	c->text = xmemdup(src->text.p, src->text.len);
	text = (struct jspan){c->text, src->text.len};
	rc = is_list(src, text, &root) ? read_list(c, src, doc, e) : read_single(c, src, doc, e);
	if (rc < 0)
		return -1;
	add_note(c, note);
	*out = STEAL(c);
	return 0;
}
