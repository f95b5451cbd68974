/* SPDX-License-Identifier: Apache-2.0 */
#include "meta/plugin/netd.h"

#include <dirent.h>
#include <string.h>

#include "lib/base/io.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/cni/conf.h"
#include "meta/plugin/app.h"

#define NAMES_MAX 8   /* that are told */
#define FILES_MAX 256 /* that are looked at */

void netd_types_done(struct netd_types *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->v[i]);
	free(t->v);
	*t = (struct netd_types){0};
}

static char *folder_of(const char *file)
{
	const char *slash = strrchr(file, '/');

	return slash && slash > file ? xstrndup(file, (size_t)(slash - file)) : xstrdup("/");
}

static int is_conf(const struct dirent *ent)
{
	return ent->d_name[0] != '.' &&
	       (str_ends(ent->d_name, ".conf") || str_ends(ent->d_name, ".conflist") ||
		str_ends(ent->d_name, ".json"));
}

static void free_list(struct dirent **list, int n)
{
	for (int i = 0; i < n; i++)
		free(list[i]);
	free(list);
}

void netd_names(const struct app *app, struct sb *out)
{
	const char *file = app->conf->delegate_file;
	AUTO(free) char *folder = folder_of(file);
	struct dirent **list = NULL;
	int n = scandir(folder, &list, is_conf, alphasort), told = 0;

	for (int i = 0; i < n; i++) {
		if (str_eq(list[i]->d_name, strrchr(file, '/') + 1) || ++told > NAMES_MAX)
			continue;
		sb_printf(out, "%s%.60s", told > 1 ? ", " : "", list[i]->d_name);
	}
	if (told > NAMES_MAX)
		sb_printf(out, " and %d more", told - NAMES_MAX);
	if (!told)
		sb_puts(out, "none");
	if (n >= 0)
		free_list(list, n);
}

/* ------------------------------------------------------------------------------- our own list */

static bool is_text(struct jspan object, const char *key, const char *text)
{
	struct jspan value;

	return jspan_find(object, key, &value) && jspan_is(value, text);
}

static void add_type(struct jspan plugin, struct netd_types *out)
{
	struct jspan value = {0};
	char *type = jspan_find(plugin, "type", &value) ? jspan_decode(value) : NULL;

	if (!type)
		return;
	out->v = xreallocarray(out->v, out->n + 1, sizeof(*out->v));
	out->v[out->n++] = type;
}

/* True when it is ours. */
static bool read_list(const struct cni_conf *conf, struct jspan list, struct netd_types *out)
{
	struct jspan plugins = {0}, plugin;
	bool found = false;

	if (!is_text(list, "name", conf->name) || !jspan_find(list, "plugins", &plugins))
		return false;
	for (struct jspan_iter it = jspan_begin(plugins); jspan_next_element(&it, &plugin);) {
		if (found)
			add_type(plugin, out);
		else
			found = is_text(plugin, "type", conf->type) &&
				is_text(plugin, "delegateFile", conf->delegate_file);
	}
	return found;
}

static bool read_file(const struct app *app, const char *path, struct netd_types *out)
{
	const struct io_limit limit = app_read_limit(app);
	AUTO(free) char *text = NULL;
	struct err ignored = {0};
	size_t len = 0;

	return io_read_file_by(path, CNI_CONF_MAX, &limit, &text, &len, &ignored) == 0 &&
	       jscan_check_lax(path, (struct jspan){text, len}, NULL, &ignored) == 0 &&
	       read_list(app->conf, jspan_trim((struct jspan){text, len}), out);
}

void netd_after_us(const struct app *app, struct netd_types *out)
{
	const char *file = app->conf->delegate_file;
	AUTO(free) char *folder = file ? folder_of(file) : NULL;
	struct dirent **list = NULL;
	int n = folder ? scandir(folder, &list, is_conf, alphasort) : -1;
	bool found = false;

	for (int i = 0; i < n && i < FILES_MAX && !found; i++) {
		AUTO(free) char *path = xasprintf("%s/%s", folder, list[i]->d_name);

		found = !str_eq(path, file) && str_ends(path, ".conflist") &&
			read_file(app, path, out);
	}
	if (n >= 0)
		free_list(list, n);
}
