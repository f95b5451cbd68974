/* SPDX-License-Identifier: Apache-2.0 */
#include "delegate/find.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/auto.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"

static void note(struct sb *notes, const char *path, const char *what)
{
	sb_printf(notes, "%s%s %s", notes->len ? "; " : "", path, what);
}

/* True when this is the one to run; why a near miss is none goes to the notes. */
static bool usable(const char *path, struct sb *notes)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			note(notes, path, "cannot be examined");
		return false;
	}
	if (!S_ISREG(st.st_mode))
		return false;
	if (access(path, X_OK) < 0) {
		note(notes, path, "is not executable");
		return false;
	}
	return true;
}

/* The file for this type in one directory of the list; NULL when that is none. Caller frees. */
static char *look_in(const char *dir, const char *type, struct sb *notes)
{
	AUTO(free) char *path = NULL;

	if (!*dir)
		return NULL;
	if (*dir != '/') {
		note(notes, dir, "is a relative directory");
		return NULL;
	}
	path = xasprintf("%s/%s", dir, type);
	return usable(path, notes) ? STEAL(path) : NULL;
}

int find_plugin(const char *type, const char *dirs, struct sb *notes, char **out_path,
		struct err *e)
{
	AUTO(sb_done) struct sb own = SB_INIT;
	AUTO(free) char *copy = xstrdup(dirs ? dirs : "");
	char *found = NULL;
	char *rest = copy;
	char *dir;

	if (!*type || strchr(type, '/') || str_eq(type, ".") || str_eq(type, ".."))
		return err_set(e, ERR_CONFIG, 0, "\"%.64s\" is not a plugin type", type);
	if (!notes)
		notes = &own;
	while (!found && (dir = strsep(&rest, ":")))
		found = look_in(dir, type, notes);
	if (!found)
		return err_set(e, ERR_NOT_FOUND, ENOENT,
			       "plugin \"%.64s\" is missing in %.128s%s%.200s", type,
			       dirs && *dirs ? dirs : "an empty CNI_PATH", notes->len ? ": " : "",
			       sb_get(notes));
	*out_path = found;
	return 0;
}
