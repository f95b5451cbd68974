/* SPDX-License-Identifier: Apache-2.0 */
/* What a server needs of TLS: a context made of a certificate and its key. */
#ifndef LIB_HTTPD_TLS_H
#define LIB_HTTPD_TLS_H

#include "lib/base/err.h"

struct ssl_ctx_st;

/**
 * httpd_tls_new - a server's context: TLS 1.2 and later, no renegotiation, no resumption.
 * @cert_pem: the certificate, then any others up to its authority
 *
 * ERR_CONFIG: not PEM, or the key is not the certificate's. The caller frees *out (SSL_CTX_free).
 */
int httpd_tls_new(const char *cert_pem, const char *key_pem, struct ssl_ctx_st **out,
		  struct err *e) FN_MUST;

#endif
