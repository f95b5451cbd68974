#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "delegate/chain_priv.h"
#include "lib/base/io.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/cni/conf.h"
#include "lib/json/jread.h"

void chain_free(struct chain *c)
{
	size_t i;

	if (!c)
		return;
	for (i = 0; i < c->n; i++)
		free(c->v[i].type);
	for (i = 0; i < c->n_texts; i++)
		free(c->texts[i]);
	free(c->v);
	free(c->texts);
	free(c->name);
	free(c->note);
	free(c);
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

const char *chain_note(const struct chain *c)
{
	return c->note;
}

/* The text stays where it is as long as the chain: spans point into it. */
static struct jspan keep_text(struct chain *c, const char *text, size_t len)
{
	c->texts = xreallocarray(c->texts, c->n_texts + 1, sizeof(*c->texts));
	c->texts[c->n_texts] = xmemdup(text, len);
	return (struct jspan){c->texts[c->n_texts++], len};
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
		return jerr(root, "name", e, ERR_CONFIG, "\"%.64s\" is no network name", name);
	if (src->fallback_name && !str_eq(name, src->fallback_name))
		c->note = xasprintf("%s: its network is named \"%s\", ours \"%s\"; runtimes clean "
				    "up by ours, the plugins by theirs",
				    src->what, name, src->fallback_name);
	c->name = xstrdup(name);
	return 0;
}

/* The highest that we know of cniVersion and cniVersions; without any it is 0.1.0, by the spec. */
static int read_version(struct chain *c, const struct jval *root, struct err *e)
{
	struct jval list = {0}, item;
	struct jiter it;
	enum cni_version v;
	const char *s = "";
	int best = -1;

	if (jget_str(root, "cniVersion", &s, e) < 0 || jget_arr(root, "cniVersions", &list, e) < 0)
		return -1;
	if (!*s && jlen(&list) == 0)
		s = "0.1.0";
	if (cni_version_parse(s, &v) == 0)
		best = (int)v;
	for (it = jiter_of(&list); jiter_next(&it, &item);) {
		if (jas_str(&item, &s, e) < 0)
			return -1;
		if (cni_version_parse(s, &v) == 0 && (int)v > best)
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
		return jerr(v, "type", e, ERR_CONFIG, "\"%.64s\" is no plugin type", type);
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

static int add_file(struct chain *c, const struct chain_source *src, const char *path,
		    struct err *e)
{
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	AUTO(free) char *text = NULL;
	size_t len = 0;
	struct jval root;

	if (io_read_file(path, CNI_CONF_MAX, &text, &len, e) < 0 ||
	    jdoc_parse(path, text, len, &doc, e) < 0)
		return -1;
	root = jdoc_root(doc);
	return add_plugin(c, src, &root, keep_text(c, text, len), e);
}

static int is_conf(const struct dirent *d)
{
	return str_ends(d->d_name, ".conf");
}

/* Plugins that others have put into <conf_dir>/<network name>, in order of their names. */
static int add_folder(struct chain *c, const struct chain_source *src, struct err *e)
{
	AUTO(free) char *dir = xasprintf("%s/%s", src->conf_dir, c->name);
	struct dirent **names = NULL;
	int n = scandir(dir, &names, is_conf, alphasort);
	int i, rc = 0;

	if (n < 0)
		return errno == ENOENT || errno == ENOTDIR
			       ? 0
			       : err_errno(e, ERR_IO, errno, "read directory %s", dir);
	for (i = 0; i < n; i++) {
		AUTO(free) char *path = xasprintf("%s/%s", dir, names[i]->d_name);

		if (rc == 0)
			rc = add_file(c, src, path, e);
		free(names[i]);
	}
	free(names);
	return rc;
}

static int read_list(struct chain *c, const struct chain_source *src, const struct jval *root,
		     struct err *e)
{
	struct jspan text = {c->texts[0], src->text.len};
	struct jval list = {0};
	bool inlined_only = false;

	if (jget_arr(root, "plugins", &list, e) < 0 ||
	    jget_bool_lax(root, "disableCheck", &c->disable_check, e) < 0 ||
	    jget_bool_lax(root, "disableGC", &c->disable_gc, e) < 0 ||
	    jget_bool_lax(root, "loadOnlyInlinedPlugins", &inlined_only, e) < 0)
		return -1;
	if (list.node && read_plugins(c, src, &list, text, e) < 0)
		return -1;
	if (src->conf_dir && !inlined_only && add_folder(c, src, e) < 0)
		return -1;
	return c->n ? 0 : jerr(root, "plugins", e, ERR_CONFIG, "there are none");
}

int chain_load(const struct chain_source *src, struct chain **out, struct err *e)
{
	AUTO(chain_free) struct chain *c = NULL;
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct jval root, type = {0};
	struct jspan text;
	int rc;

	if (src->text.len > CNI_CONF_MAX)
		return err_set(e, ERR_DECODE, 0, "%s: larger than %d bytes", src->what,
			       CNI_CONF_MAX);
	if (jdoc_parse(src->what, src->text.p, src->text.len, &doc, e) < 0)
		return -1;
	root = jdoc_root(doc);
	if (jas_obj(&root, e) < 0)
		return -1;
	c = xcalloc(1, sizeof(*c));
	text = keep_text(c, src->text.p, src->text.len);
	if (read_name(c, src, &root, e) < 0 || read_version(c, &root, e) < 0)
		return -1;
	rc = jget(&root, "type", &type, e);
	if (rc < 0)
		return -1;
	/* A list has no type of its own; one with a type is a single plugin's conf. */
	rc = rc ? add_plugin(c, src, &root, text, e) : read_list(c, src, &root, e);
	if (rc < 0)
		return -1;
	*out = STEAL(c);
	return 0;
}
