/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/cni/print.h"

#include <unistd.h>

#include "lib/base/io.h"
#include "lib/base/sb.h"
#include "lib/cni/cnierr.h"
#include "lib/cni/result.h"
#include "lib/json/jwrite.h"

static int to_stdout(struct sb *sb, struct err *e)
{
	sb_putc(sb, '\n');
	return io_write_all(STDOUT_FILENO, "stdout", sb->data, sb->len, e);
}

int cni_result_print(const struct cni_result *r, enum cni_version v, struct err *e)
{
	AUTO(sb_done) struct sb sb = SB_INIT;

	if (cni_result_write(r, v, &sb, e) < 0)
		return -1;
	return to_stdout(&sb, e);
}

int cni_error_print(const char *version, const struct err *error, struct err *e)
{
	AUTO(sb_done) struct sb sb = SB_INIT;
	char text[CNI_ERROR_TEXT_LEN];
	struct jw w = jw_init(&sb);

	jw_obj(&w);
	jw_kv_opt(&w, "cniVersion", version);
	jw_kv_i64(&w, "code", cni_error_code(error));
	jw_kv_str(&w, "msg", cni_error_text(error, text));
	jw_end(&w);
	jw_finish(&w);
	return to_stdout(&sb, e);
}

int cni_version_print(struct err *e)
{
	AUTO(sb_done) struct sb sb = SB_INIT;
	struct jw w = jw_init(&sb);
	int v;

	jw_obj(&w);
	jw_kv_str(&w, "cniVersion", cni_version_name(CNI_VERSION_NEWEST));
	jw_kv_arr(&w, "supportedVersions");
	for (v = CNI_VERSION_OLDEST; v < CNI_VERSION_COUNT; v++)
		jw_str(&w, cni_version_name((enum cni_version)v));
	jw_end(&w);
	jw_end(&w);
	jw_finish(&w);
	return to_stdout(&sb, e);
}
