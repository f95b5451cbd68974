#include "lib/cni/version.h"

#include <string.h>

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

const char *cni_command_name(enum cni_command c)
{
	switch (c) {
	case CNI_ADD:
		return "ADD";
	case CNI_DEL:
		return "DEL";
	case CNI_CHECK:
		return "CHECK";
	case CNI_GC:
		return "GC";
	case CNI_STATUS:
		return "STATUS";
	case CNI_VERSION:
		return "VERSION";
	}
	return "?";
}

int cni_version_allows(enum cni_version v, enum cni_command c, struct err *e)
{
	enum cni_version needs = CNI_0_1_0;

	if (c == CNI_CHECK)
		needs = CNI_0_4_0;
	if (c == CNI_GC || c == CNI_STATUS)
		needs = CNI_1_1_0;
	if (v >= needs)
		return 0;
	return err_set(e, ERR_VERSION, 0, "%s needs cniVersion %s or later, the conf has %s",
		       cni_command_name(c), names[needs], names[v]);
}
