/* SPDX-License-Identifier: Apache-2.0 */
/* Where is the binary of a plugin type? */
#ifndef DELEGATE_FIND_H
#define DELEGATE_FIND_H

#include "lib/base/err.h"

struct sb;

/**
 * find_plugin - search directories with colons between, in order, as libcni does.
 * @type: the plugin's type; never a path
 * @notes: gets what was passed over (not executable, a relative directory), "; " between
 * @out_path: an absolute path; the caller frees it
 *
 * The first executable regular file wins; missing directories are fine. ERR_NOT_FOUND with num
 * ENOENT and the directories named when there is none (so the caller can tell a missing binary from
 * a plugin that failed); ERR_CONFIG for a type that is no file name.
 */
int find_plugin(const char *type, const char *dirs, struct sb *notes, char **out_path,
		struct err *e) FN_MUST;

#endif
