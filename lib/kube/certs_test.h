/* SPDX-License-Identifier: Apache-2.0 */
/* Throw-away authorities and certificates for the tests of this folder. Only for x_test.c files. */
#ifndef LIB_KUBE_CERTS_TEST_H
#define LIB_KUBE_CERTS_TEST_H

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "lib/base/mem.h"

struct test_cert {
	EVP_PKEY *key;
	X509 *cert;
	char *key_pem, *cert_pem;
};

static void test_cert_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	if (!ext || !X509_add_ext(cert, ext, -1))
		abort();
	X509_EXTENSION_free(ext);
}

static char *test_cert_text(BIO *bio)
{
	char *data;
	long len = BIO_get_mem_data(bio, &data);
	char *text = xmemdup(data, (size_t)len);

	BIO_free(bio);
	return text;
}

/*
 * issuer NULL = an authority of its own. org: the O of the subject (a Kubernetes group) or NULL.
 * san: "IP:127.0.0.1,DNS:x" or NULL.
 */
static struct test_cert test_cert_make(const struct test_cert *issuer, const char *org,
				       const char *cn, const char *san)
{
	static long serial = 1;
	struct test_cert c = {.key = EVP_EC_gen("P-256"), .cert = X509_new()};
	X509_NAME *name = X509_get_subject_name(c.cert);
	BIO *bio;

	X509_set_version(c.cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(c.cert), serial++);
	X509_gmtime_adj(X509_getm_notBefore(c.cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(c.cert), 86400);
	if (org)
		X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const unsigned char *)org, -1,
					   -1, 0);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0);
	X509_set_issuer_name(c.cert, issuer ? X509_get_subject_name(issuer->cert) : name);
	X509_set_pubkey(c.cert, c.key);
	test_cert_extension(c.cert, issuer ? issuer->cert : c.cert, NID_basic_constraints,
			    issuer ? "CA:FALSE" : "critical,CA:TRUE");
	if (san)
		test_cert_extension(c.cert, issuer ? issuer->cert : c.cert, NID_subject_alt_name,
				    san);
	if (!X509_sign(c.cert, issuer ? issuer->key : c.key, EVP_sha256()))
		abort();
	bio = BIO_new(BIO_s_mem());
	PEM_write_bio_X509(bio, c.cert);
	c.cert_pem = test_cert_text(bio);
	bio = BIO_new(BIO_s_mem());
	PEM_write_bio_PrivateKey(bio, c.key, NULL, NULL, 0, NULL, NULL);
	c.key_pem = test_cert_text(bio);
	return c;
}

static void test_cert_done(struct test_cert *c)
{
	EVP_PKEY_free(c->key);
	X509_free(c->cert);
	free(c->key_pem);
	free(c->cert_pem);
}

#endif
