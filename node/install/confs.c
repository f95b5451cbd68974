/* SPDX-License-Identifier: Apache-2.0 */
#include "node/install/confs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/clock.h"
#include "lib/base/io.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/cni/args.h"
#include "lib/cni/conf.h"

/* A conf that is written in place, not renamed into it, is whole after so long. */
#define SETTLED_S 10
/* A folder of confs has a handful. */
#define FILES_MAX 256

void confs_done(struct confs *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->v[i].name);
		free(c->v[i].network);
	}
	free(c->v);
	*c = (struct confs){0};
}

bool confs_is_name(const char *name)
{
	static const char *const suffixes[] = {".conf", ".conflist", ".json"};
	const char *last = strrchr(name, '.');

	for (size_t i = 0; last && i < ARRAY_SIZE(suffixes); i++) {
		if (str_eq(last, suffixes[i]))
			return true;
	}
	return false;
}

/* ------------------------------------------------------------------------------- one file */

/* One plugin's conf, as libcni has it: plugins that were left in it are not run. */
static bool is_single(const char *file, struct jspan conf, struct jspan *type)
{
	return !str_ends(file, ".conflist") && jspan_find_any(conf, "type", type);
}

static bool runs(const char *file, struct jspan conf, const char *plugin)
{
	struct jspan type;

	return is_single(file, conf, &type) ? jspan_is(type, plugin) : cni_conf_nests(conf, plugin);
}

/* The name under which a runtime would use it; NULL: it would not. */
static char *network_of(const char *file, struct jspan conf)
{
	struct jspan name, plugins, plugin, type;
	struct jspan_iter it;
	AUTO(free) char *network = NULL;

	bool single = is_single(file, conf, &type);

	if (!(single ? jspan_find_any : jspan_find)(conf, "name", &name))
		return NULL;
	network = jspan_decode(name);
	if (!network || cni_name_check(network) < 0)
		return NULL;
	if (!str_ends(file, ".conflist"))
		return single ? STEAL(network) : NULL;
	if (!jspan_find(conf, "plugins", &plugins))
		return NULL;
	it = jspan_begin(plugins);
	return jspan_next_element(&it, &plugin) ? STEAL(network) : NULL;
}

void confs_add(struct confs *c, const char *name, struct jspan text, bool fresh)
{
	struct confs_file file = {.name = xstrdup(name)};
	struct err e = {0};
	size_t at = 0;

	if (jscan_check_lax(name, text, NULL, &e) == 0 && jspan_type(text) == JTYPE_OBJECT) {
		text = jspan_trim(text);
		file.network = network_of(name, text);
		file.runs_us = runs(name, text, CONFS_PLUGIN);
		file.runs_multus = runs(name, text, "multus") || runs(name, text, "multus-shim");
	}
	file.settling = !file.network && fresh;
	while (at < c->n && strcmp(c->v[at].name, name) < 0)
		at++;
	c->v = xreallocarray(c->v, c->n + 1, sizeof(*c->v));
	memmove(&c->v[at + 1], &c->v[at], (c->n - at) * sizeof(*c->v));
	c->v[at] = file;
	c->n++;
}

/* ------------------------------------------------------------------------------- the folder */

static void read_one(const char *dir, const char *name, struct confs *out)
{
	AUTO(free) char *path = xasprintf("%s/%s", dir, name);
	AUTO(free) char *text = NULL;
	struct err e = {0};
	struct stat st;
	size_t len = 0;
	bool fresh;

	/* A link leads where the node sees it lead, which may not be where we do; nobody makes such ones there. */
	if (stat(path, &st) < 0 || S_ISDIR(st.st_mode))
		return;
	fresh = clock_wall_s() - (int64_t)st.st_mtim.tv_sec < SETTLED_S;
	if (io_read_file(path, CNI_CONF_MAX, &text, &len, &e) < 0)
		len = 0;
	confs_add(out, name, (struct jspan){text ? text : "", len}, fresh);
}

int confs_read(const char *dir, struct confs *out, struct err *e)
{
	AUTO(closedir) DIR *d = opendir(dir);
	const struct dirent *ent;

	if (!d)
		return err_errno(e, ERR_IO, errno, "list %s", dir);
	while ((errno = 0, ent = readdir(d))) {
		if (confs_is_name(ent->d_name) && out->n < FILES_MAX)
			read_one(dir, ent->d_name, out);
	}
	return errno ? err_errno(e, ERR_IO, errno, "list %s", dir) : 0;
}

const struct confs_file *confs_find(const struct confs *c, const char *name)
{
	for (size_t i = 0; i < c->n; i++) {
		if (str_eq(c->v[i].name, name))
			return &c->v[i];
	}
	return NULL;
}

/* ------------------------------------------------------------------------------- the primary */

static bool is_candidate(const struct confs_file *f, const struct confs_wish *wish)
{
	if (!f->network || f->runs_us || f->runs_multus || *f->name == '.')
		return false;
	if (wish->only)
		return str_eq(f->name, wish->only);
	return !wish->default_network || str_eq(f->network, wish->default_network);
}

/* Half a file of somebody else's, that may come to be the first. */
static bool is_settling(const struct confs_file *f, const struct confs_wish *wish)
{
	return f->settling && *f->name != '.' && !str_eq(f->name, CONFS_OURS) &&
	       !str_eq(f->name, CONFS_OURS_FIRST) && (!wish->only || str_eq(f->name, wish->only));
}

/* The only one of a network; NULL: none, or more than one. */
static const struct confs_file *only_of(const struct confs *c, const struct confs_wish *wish)
{
	const struct confs_file *found = NULL;

	for (size_t i = 0; i < c->n; i++) {
		if (!is_candidate(&c->v[i], wish) || !str_eq(c->v[i].network, wish->network))
			continue;
		if (found)
			return NULL;
		found = &c->v[i];
	}
	return found;
}

static const struct confs_file *first_of(const struct confs *c, const struct confs_wish *wish)
{
	for (size_t i = 0; i < c->n; i++) {
		if (is_candidate(&c->v[i], wish))
			return &c->v[i];
	}
	return NULL;
}

static const struct confs_file *multus_before(const struct confs *c, const char *name)
{
	for (size_t i = 0; i < c->n && strcmp(c->v[i].name, name) < 0; i++) {
		if (c->v[i].runs_multus)
			return &c->v[i];
	}
	return NULL;
}

static const struct confs_file *settling_before(const struct confs *c,
						const struct confs_wish *wish, const char *name)
{
	for (size_t i = 0; i < c->n && (!name || strcmp(c->v[i].name, name) < 0); i++) {
		if (is_settling(&c->v[i], wish))
			return &c->v[i];
	}
	return NULL;
}

/* What we follow has gone, or cannot be read now: what is there after it is another CNI's. */
static enum confs_verdict successor(const struct confs *c, const struct confs_wish *wish,
				    const struct confs_file **out)
{
	const struct confs_file *first = first_of(c, wish);
	const struct confs_file *heir = only_of(c, wish);

	if (first && strcmp(first->name, wish->file) < 0)
		*out = first;
	else
		*out = heir;
	return *out ? CONFS_FOUND : CONFS_GONE;
}

enum confs_verdict confs_pick(const struct confs *c, const struct confs_wish *wish,
			      const struct confs_file **out)
{
	const struct confs_file *multus, *half;
	enum confs_verdict verdict = CONFS_FOUND;
	const struct confs_file *now = wish->file ? confs_find(c, wish->file) : NULL;

	*out = first_of(c, wish);
	/* Where one name is asked for there is nothing to be taken by mistake. */
	if (wish->file && !wish->only && !(now && is_candidate(now, wish)))
		verdict = successor(c, wish, out);
	half = settling_before(c, wish, *out ? (*out)->name : NULL);
	if (half) {
		*out = half;
		return CONFS_SETTLING;
	}
	if (verdict == CONFS_GONE)
		return verdict;
	multus = wish->with_multus ? NULL : multus_before(c, *out ? (*out)->name : "\xff");
	if (multus) {
		*out = multus;
		return CONFS_MULTUS;
	}
	return *out ? CONFS_FOUND : CONFS_NONE;
}

const struct confs_file *confs_before(const struct confs *c, const char *name, bool with_multus)
{
	for (size_t i = 0; i < c->n && strcmp(c->v[i].name, name) < 0; i++) {
		const struct confs_file *f = &c->v[i];

		if (!f->runs_us && !(with_multus && f->runs_multus))
			return f;
	}
	return NULL;
}
