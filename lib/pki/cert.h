/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates for a server of our own: an authority, what it signs, and what stands in either. No I/O. */
#ifndef LIB_PKI_CERT_H
#define LIB_PKI_CERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"

/* A certificate and its private key (EC P-256), as PEM. */
struct pki_pair {
	char *cert;
	char *key;
};

/** pki_pair_done - free both, the key's bytes overwritten. */
void pki_pair_done(struct pki_pair *p);
DEFINE_AUTO_VALUE(struct pki_pair, pki_pair_done)

struct pki_spec {
	const char *common_name;
	const char *const *names; /* DNS names and addresses that a server answers for */
	size_t n_names;
	int64_t not_before; /* seconds since 1970 */
	int64_t not_after;
};

/** pki_make_authority - a self-signed authority that may sign servers' certificates. ERR_INTERNAL. */
int pki_make_authority(const struct pki_spec *spec, struct pki_pair *out, struct err *e) FN_MUST;
/** pki_make_server - a server's certificate, signed by that authority. ERR_CONFIG, ERR_INTERNAL. */
int pki_make_server(const struct pki_pair *authority, const struct pki_spec *spec,
		    struct pki_pair *out, struct err *e) FN_MUST;

/** pki_times - from when until when the first certificate of a text is valid. ERR_DECODE. */
int pki_times(const char *pem, int64_t *not_before, int64_t *not_after, struct err *e) FN_MUST;
/** pki_key_fits - the private key is that of the first certificate. */
bool pki_key_fits(const char *pem, const char *key_pem);
/** pki_is_signed_by - by the authority's key, which may sign. Times are not looked at. */
bool pki_is_signed_by(const char *pem, const char *authority);
/** pki_has_name - a client that looks for this DNS name or address takes the certificate. */
bool pki_has_name(const char *pem, const char *name);

/* Several certificates in one text, in their order. */
struct pki_bundle {
	char **certs; /* one PEM each, written by us, so that equal ones are equal texts */
	size_t n;
};

#define PKI_BUNDLE_MAX 16

void pki_bundle_done(struct pki_bundle *b);
DEFINE_AUTO_VALUE(struct pki_bundle, pki_bundle_done)
/** pki_bundle_parse - at most PKI_BUNDLE_MAX certificates; "" gives none. ERR_DECODE. */
int pki_bundle_parse(const char *pem, struct pki_bundle *out, struct err *e) FN_MUST;
/** pki_bundle_add - append a copy unless it is there. False when it is there or there is no room. */
bool pki_bundle_add(struct pki_bundle *b, const char *cert);
bool pki_bundle_has(const struct pki_bundle *b, const char *cert);
/** pki_bundle_format - the text; the caller frees it. */
char *pki_bundle_format(const struct pki_bundle *b);

#endif
