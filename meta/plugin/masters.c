/* SPDX-License-Identifier: Apache-2.0 */
#include "meta/plugin/masters.h"

#include <errno.h>

#include "lib/base/auto.h"
#include "lib/base/io.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"

#define FILE_MAX 65536

int masters_resolve(const char *file, const struct io_limit *limit, char *name, size_t size,
		    struct err *e)
{
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	AUTO(free) char *text = NULL;
	const char *nic = NULL;
	struct jval root;
	size_t len = 0;

	if (io_read_file_by(file, FILE_MAX, limit, &text, &len, e) < 0) {
		if (e->kind != ERR_IO || e->num != ENOENT)
			return -1;
		err_clear(e);
		return 0;
	}
	if (jdoc_parse(file, text, len, &doc, e) < 0)
		return -1;
	root = jdoc_root(doc);
	if (jas_obj(&root, e) < 0 || jget_str(&root, name, &nic, e) < 0)
		return -1;
	if (!nic)
		return 0;
	if (!*nic || str_copy(name, size, nic) < 0)
		return jerr(&root, name, e, ERR_CONFIG, "\"%.64s\" is not a name of a link", nic);
	return 0;
}
