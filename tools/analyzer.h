/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Included by tools/lint.sh before every source that clang's analyzer reads, so that it knows what
 * lib/base/err.h promises: making an error returns -1. Otherwise it follows paths on which a
 * function that has failed returns 0.
 */
#ifndef TOOLS_ANALYZER_H
#define TOOLS_ANALYZER_H

#if __has_include("lib/base/err.h")
#include "lib/base/err.h"
#define err_set(...)   (err_set(__VA_ARGS__), -1)
#define err_set_v(...) (err_set_v(__VA_ARGS__), -1)
#define err_errno(...) (err_errno(__VA_ARGS__), -1)
#define err_wrap(...)  (err_wrap(__VA_ARGS__), -1)
#endif

#endif
