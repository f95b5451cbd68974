/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 of a text. No I/O. */
#ifndef LIB_PKI_DIGEST_H
#define LIB_PKI_DIGEST_H

#include <stddef.h>

#define PKI_SHA256_HEX_LEN 65

/** pki_sha256_hex - in hex digits. Returns buf. */
char *pki_sha256_hex(const void *data, size_t len, char buf[PKI_SHA256_HEX_LEN]);

#endif
