/* SPDX-License-Identifier: Apache-2.0 */
/* CNI spec versions, in order, and what each of them allows: a new one is a row here and one in version.c. */
#ifndef LIB_CNI_VERSION_H
#define LIB_CNI_VERSION_H

#include "lib/base/err.h"

enum cni_version {
	CNI_0_1_0, /* also where a conf names none */
	CNI_0_2_0,
	CNI_0_3_0,
	CNI_0_3_1,
	CNI_0_4_0,
	CNI_1_0_0,
	CNI_1_1_0,
	CNI_VERSION_COUNT
};
#define CNI_VERSION_OLDEST CNI_0_1_0
#define CNI_VERSION_NEWEST ((enum cni_version)(CNI_VERSION_COUNT - 1))

enum cni_command { CNI_ADD, CNI_DEL, CNI_CHECK, CNI_GC, CNI_STATUS, CNI_VERSION };

/** cni_version_parse - exact text only. -1 (out unchanged) when unknown. */
int cni_version_parse(const char *s, enum cni_version *out) FN_MUST;
/** cni_version_name - "1.0.0". */
const char *cni_version_name(enum cni_version v);
/** cni_version_list - "0.1.0, 0.2.0, ...", all that we know, for messages. The caller frees it. */
char *cni_version_list(void);
/** cni_command_name - "ADD". */
const char *cni_command_name(enum cni_command c);
/** cni_version_allows - CHECK needs 0.4.0, GC and STATUS 1.1.0: ERR_VERSION below. */
int cni_version_allows(enum cni_version v, enum cni_command c, struct err *e) FN_MUST;

#endif
