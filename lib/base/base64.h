/* SPDX-License-Identifier: Apache-2.0 */
/* Base64, RFC 4648 section 4: how Kubernetes carries bytes in JSON and YAML. */
#ifndef LIB_BASE_BASE64_H
#define LIB_BASE_BASE64_H

#include <stddef.h>

/** base64_encode - n bytes as text on one line; the caller frees it. */
char *base64_encode(const void *p, size_t n);

/**
 * base64_decode - the bytes of a text, terminated; the caller frees them. NULL if it is not base64.
 * @out_len: NULL, or where their number goes
 *
 * Line breaks are allowed, as Go decodes it; padding is required.
 */
char *base64_decode(const char *s, size_t *out_len);

#endif
