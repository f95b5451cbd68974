/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/cni/version.h"

#include <string.h>

#include "lib/base/sb.h"

static const char *const names[CNI_VERSION_COUNT] = {
	[CNI_0_1_0] = "0.1.0", [CNI_0_2_0] = "0.2.0", [CNI_0_3_0] = "0.3.0", [CNI_0_3_1] = "0.3.1",
	[CNI_0_4_0] = "0.4.0", [CNI_1_0_0] = "1.0.0", [CNI_1_1_0] = "1.1.0",
};

int cni_version_parse(const char *s, enum cni_version *out)
{
	int v;

	for (v = 0; v < CNI_VERSION_COUNT; v++) {
		if (strcmp(s, names[v]) == 0) {
			*out = (enum cni_version)v;
			return 0;
		}
	}
	return -1;
}

const char *cni_version_name(enum cni_version v)
{
	return names[v];
}

char *cni_version_list(void)
{
	struct sb text = SB_INIT;

	for (int v = CNI_VERSION_OLDEST; v < CNI_VERSION_COUNT; v++)
		sb_printf(&text, "%s%s", v == CNI_VERSION_OLDEST ? "" : ", ", names[v]);
	return sb_take(&text);
}

/* And the version that each command came with. */
static const struct {
	const char *name;
	enum cni_version since;
} commands[] = {
	[CNI_ADD] = {"ADD", CNI_0_1_0},       [CNI_DEL] = {"DEL", CNI_0_1_0},
	[CNI_CHECK] = {"CHECK", CNI_0_4_0},   [CNI_GC] = {"GC", CNI_1_1_0},
	[CNI_STATUS] = {"STATUS", CNI_1_1_0}, [CNI_VERSION] = {"VERSION", CNI_0_1_0},
};

const char *cni_command_name(enum cni_command c)
{
	return commands[c].name;
}

int cni_version_allows(enum cni_version v, enum cni_command c, struct err *e)
{
	enum cni_version needs = commands[c].since;

	if (v >= needs)
		return 0;
	return err_set(e, ERR_VERSION, 0, "%s needs cniVersion %s or later, the conf has %s",
		       cni_command_name(c), names[needs], names[v]);
}
