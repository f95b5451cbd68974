/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef LIB_JSON_UTF8_H
#define LIB_JSON_UTF8_H

#include <stddef.h>

/** utf8_len - bytes (1..4) of the valid sequence at p, which is below end; 0 if it is not valid. */
size_t utf8_len(const char *p, const char *end);
/** utf8_put - encode a code point that is no surrogate; returns the number of bytes. */
size_t utf8_put(unsigned int code, char out[4]);

#endif
