/* SPDX-License-Identifier: Apache-2.0 */
/* The one place that writes to standard output. */
#ifndef LIB_CNI_PRINT_H
#define LIB_CNI_PRINT_H

#include "lib/base/err.h"
#include "lib/cni/version.h"

struct cni_result;

/* They write everything or return ERR_IO (EPIPE: the runtime is gone; SIGPIPE must be ignored). */

/** cni_result_print - the result of an ADD, in that version. */
int cni_result_print(const struct cni_result *r, enum cni_version v, struct err *e) FN_MUST;
/** cni_error_print - the error object of any verb. version: text, NULL when it is not known. */
int cni_error_print(const char *version, const struct err *error, struct err *e) FN_MUST;
/** cni_version_print - the answer to VERSION: cniVersion (newest) and supportedVersions. */
int cni_version_print(struct err *e) FN_MUST;

#endif
