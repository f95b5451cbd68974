/* SPDX-License-Identifier: Apache-2.0 */
/* The one table: which kind of failure is which CNI code, and does trying again help? */
#ifndef LIB_CNI_CNIERR_H
#define LIB_CNI_CNIERR_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"

/*
 * kind               code                 retry
 * ERR_VERSION        1  incompatible      no
 * ERR_UNSUPPORTED    2                    no
 * ERR_ENV            4                    no
 * ERR_IO             5                    yes
 * ERR_DECODE         6                    no
 * ERR_CONFIG         7                    no
 * ERR_NETNS          8                    no
 * ERR_TIMEOUT, _AGAIN, _API, _TRANSPORT, _NOT_FOUND, _CONFLICT, _GONE, _CANCELLED
 *                    11 try again later   yes
 * ERR_UNREADY        50 not available     yes
 * ERR_KERNEL         100                  yes
 * ERR_MISSING        101                  no
 * ERR_DELEGATE       the delegate's own (err.num), 999 when it gave none; retry only for its 11
 * ERR_INTERNAL       999                  no
 */
#define CNI_CODE_AGAIN    11
#define CNI_CODE_UNREADY  50
#define CNI_CODE_KERNEL   100
#define CNI_CODE_MISSING  101
#define CNI_CODE_INTERNAL 999

/** cni_error_code - the code for the error object. */
int cni_error_code(const struct err *e);
/** cni_error_retry - the same call may succeed later without anybody changing a conf. */
bool cni_error_retry(const struct err *e);

#define CNI_ERROR_TEXT_LEN 1024
/**
 * cni_error_text - the message as it may be shown to a runtime. Returns buf.
 *
 * containerd takes an error of DEL that contains "not found" (and, without a namespace, "no such
 * file or directory") for success and never calls again, so neither can come out of here.
 */
char *cni_error_text(const struct err *e, char buf[CNI_ERROR_TEXT_LEN]);

#endif
