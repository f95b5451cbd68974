/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/pki/digest.h"

#include <stdio.h>
#include <stdlib.h>

#include <openssl/evp.h>

char *pki_sha256_hex(const void *data, size_t len, char buf[PKI_SHA256_HEX_LEN])
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned int n = 0;

	/* It fails for want of memory alone. */
	if (!EVP_Digest(data, len, md, &n, EVP_sha256(), NULL))
		abort();
	for (unsigned int i = 0; i < n; i++)
		snprintf(buf + 2 * (size_t)i, 3, "%02x", md[i]);
	return buf;
}
