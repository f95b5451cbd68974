/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/pki/cert.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "lib/base/ip.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"

DEFINE_AUTO(BIO, BIO_free)
DEFINE_AUTO(X509, X509_free)
DEFINE_AUTO(EVP_PKEY, EVP_PKEY_free)
DEFINE_AUTO(BIGNUM, BN_free)
DEFINE_AUTO(X509_EXTENSION, X509_EXTENSION_free)
DEFINE_AUTO(GENERAL_NAMES, GENERAL_NAMES_free)

static int failed(struct err *e, enum err_kind kind, const char *what)
{
	char text[160] = "";
	unsigned long code = ERR_peek_last_error();

	if (code)
		ERR_error_string_n(code, text, sizeof(text));
	ERR_clear_error();
	return err_set(e, kind, 0, "%s%s%s", what, *text ? ": " : "", text);
}

void pki_pair_done(struct pki_pair *p)
{
	if (p->key)
		OPENSSL_cleanse(p->key, strlen(p->key));
	free(p->cert);
	free(p->key);
	*p = (struct pki_pair){0};
}

/* ------------------------------------------------------------------------------- PEM */

/* Never asks the terminal for a password. */
static int no_password(char *buf, int size, int writing, void *ctx)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)ctx;
	return 0;
}

static X509 *read_cert(const char *pem)
{
	AUTO(BIO_free) BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *cert = bio ? PEM_read_bio_X509(bio, NULL, no_password, NULL) : NULL;

	ERR_clear_error();
	return cert;
}

static EVP_PKEY *read_key(const char *pem)
{
	AUTO(BIO_free) BIO *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;

	ERR_clear_error();
	return key;
}

static char *bio_text(BIO *bio)
{
	char *data = NULL;
	long n = BIO_get_mem_data(bio, &data);

	return xmemdup(data, (size_t)n);
}

static char *write_cert(X509 *cert)
{
	AUTO(BIO_free) BIO *bio = BIO_new(BIO_s_mem());

	return bio && PEM_write_bio_X509(bio, cert) == 1 ? bio_text(bio) : NULL;
}

static char *write_key(EVP_PKEY *key)
{
	AUTO(BIO_free) BIO *bio = BIO_new(BIO_s_secmem());

	if (!bio || PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1)
		return NULL;
	return bio_text(bio);
}

/* ------------------------------------------------------------------------------- making */

static int add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	AUTO(X509_EXTENSION_free) X509_EXTENSION *ext = NULL;
	X509V3_CTX ctx;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	return ext && X509_add_ext(cert, ext, -1) == 1 ? 0 : -1;
}

static GENERAL_NAME *general_name(const char *text)
{
	GENERAL_NAME *name = GENERAL_NAME_new();
	struct ip_addr addr;
	bool is_addr = ip_parse(text, &addr) == 0;
	ASN1_STRING *s = ASN1_STRING_type_new(is_addr ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);

	if (!name || !s)
		abort();
	if (ASN1_STRING_set(s, is_addr ? (const void *)addr.b : text,
			    is_addr ? (int)ip_bytes(&addr) : (int)strlen(text)) != 1)
		abort();
	GENERAL_NAME_set0_value(name, is_addr ? GEN_IPADD : GEN_DNS, s);
	return name;
}

/* Not by way of a text with commas, which a name could break out of. */
static int add_names(X509 *cert, const struct pki_spec *spec)
{
	AUTO(GENERAL_NAMES_free) GENERAL_NAMES *all = sk_GENERAL_NAME_new_null();

	for (size_t i = 0; i < spec->n_names; i++)
		sk_GENERAL_NAME_push(all, general_name(spec->names[i]));
	return X509_add1_ext_i2d(cert, NID_subject_alt_name, all, 0, 0) == 1 ? 0 : -1;
}

static int set_serial(X509 *cert)
{
	AUTO(BN_free) BIGNUM *n = BN_new();

	/* 127 bits: positive, and of at most 20 bytes as RFC 5280 wants. */
	if (!n || BN_rand(n, 127, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) != 1)
		return -1;
	return BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert)) ? 0 : -1;
}

static int set_times(X509 *cert, const struct pki_spec *spec)
{
	if (!ASN1_TIME_set(X509_getm_notBefore(cert), spec->not_before) ||
	    !ASN1_TIME_set(X509_getm_notAfter(cert), spec->not_after))
		return -1;
	return 0;
}

static int set_subject(X509 *cert, const char *common_name)
{
	X509_NAME *name = X509_get_subject_name(cert);

	return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
					  (const unsigned char *)common_name, -1, -1, 0) == 1
		       ? 0
		       : -1;
}

static int set_usage(X509 *cert, X509 *issuer, const struct pki_spec *spec)
{
	if (issuer == cert)
		return add_extension(cert, issuer, NID_basic_constraints,
				     "critical,CA:TRUE,pathlen:0") < 0 ||
				       add_extension(cert, issuer, NID_key_usage,
						     "critical,keyCertSign,cRLSign") < 0
			       ? -1
			       : 0;
	if (add_extension(cert, issuer, NID_basic_constraints, "critical,CA:FALSE") < 0 ||
	    add_extension(cert, issuer, NID_key_usage, "critical,digitalSignature") < 0 ||
	    add_extension(cert, issuer, NID_ext_key_usage, "serverAuth") < 0)
		return -1;
	return add_names(cert, spec);
}

/* issuer NULL = signs itself. */
static int fill_in(X509 *cert, EVP_PKEY *key, X509 *issuer, const struct pki_spec *spec)
{
	if (X509_set_version(cert, 2) != 1 || set_serial(cert) < 0 || set_times(cert, spec) < 0 ||
	    set_subject(cert, spec->common_name) < 0 || X509_set_pubkey(cert, key) != 1)
		return -1;
	issuer = issuer ? issuer : cert;
	if (X509_set_issuer_name(cert, X509_get_subject_name(issuer)) != 1)
		return -1;
	if (add_extension(cert, issuer, NID_subject_key_identifier, "hash") < 0 ||
	    add_extension(cert, issuer, NID_authority_key_identifier, "keyid:always") < 0)
		return -1;
	return set_usage(cert, issuer, spec);
}

static int make(X509 *issuer, EVP_PKEY *issuer_key, const struct pki_spec *spec,
		struct pki_pair *out, struct err *e)
{
	AUTO(X509_free) X509 *cert = X509_new();
	AUTO(EVP_PKEY_free) EVP_PKEY *key = EVP_EC_gen("P-256");
	struct pki_pair pair;

	ERR_clear_error();
	if (!cert || !key || fill_in(cert, key, issuer, spec) < 0 ||
	    X509_sign(cert, issuer_key ? issuer_key : key, EVP_sha256()) <= 0)
		return failed(e, ERR_INTERNAL, "make a certificate");
	pair = (struct pki_pair){write_cert(cert), write_key(key)};
	if (!pair.cert || !pair.key) {
		pki_pair_done(&pair);
		return failed(e, ERR_INTERNAL, "write a certificate");
	}
	*out = pair;
	return 0;
}

int pki_make_authority(const struct pki_spec *spec, struct pki_pair *out, struct err *e)
{
	return make(NULL, NULL, spec, out, e);
}

int pki_make_server(const struct pki_pair *authority, const struct pki_spec *spec,
		    struct pki_pair *out, struct err *e)
{
	AUTO(X509_free) X509 *issuer = read_cert(authority->cert);
	AUTO(EVP_PKEY_free) EVP_PKEY *key = read_key(authority->key);

	if (!issuer || !key || X509_check_private_key(issuer, key) != 1)
		return failed(e, ERR_CONFIG, "the authority's certificate and key");
	return make(issuer, key, spec, out, e);
}

/* ------------------------------------------------------------------------------- reading */

static int to_seconds(const ASN1_TIME *t, int64_t *out)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(t, &tm) != 1)
		return -1;
	*out = timegm(&tm);
	return 0;
}

int pki_times(const char *pem, int64_t *not_before, int64_t *not_after, struct err *e)
{
	AUTO(X509_free) X509 *cert = read_cert(pem);
	int64_t from, until;

	if (!cert || to_seconds(X509_get0_notBefore(cert), &from) < 0 ||
	    to_seconds(X509_get0_notAfter(cert), &until) < 0)
		return failed(e, ERR_DECODE, "not a certificate");
	*not_before = from;
	*not_after = until;
	return 0;
}

bool pki_key_fits(const char *pem, const char *key_pem)
{
	AUTO(X509_free) X509 *cert = read_cert(pem);
	AUTO(EVP_PKEY_free) EVP_PKEY *key = read_key(key_pem);
	bool fits = cert && key && X509_check_private_key(cert, key) == 1;

	ERR_clear_error();
	return fits;
}

bool pki_is_signed_by(const char *pem, const char *authority)
{
	AUTO(X509_free) X509 *cert = read_cert(pem);
	AUTO(X509_free) X509 *issuer = read_cert(authority);
	bool is = cert && issuer && X509_check_issued(issuer, cert) == X509_V_OK &&
		  X509_verify(cert, X509_get0_pubkey(issuer)) == 1;

	ERR_clear_error();
	return is;
}

bool pki_has_name(const char *pem, const char *name)
{
	AUTO(X509_free) X509 *cert = read_cert(pem);
	struct ip_addr addr;

	if (!cert)
		return false;
	if (ip_parse(name, &addr) == 0)
		return X509_check_ip(cert, addr.b, ip_bytes(&addr), 0) == 1;
	return X509_check_host(cert, name, 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) == 1;
}

/* ------------------------------------------------------------------------------- bundles */

void pki_bundle_done(struct pki_bundle *b)
{
	for (size_t i = 0; i < b->n; i++)
		free(b->certs[i]);
	free(b->certs);
	*b = (struct pki_bundle){0};
}

bool pki_bundle_has(const struct pki_bundle *b, const char *cert)
{
	for (size_t i = 0; i < b->n; i++) {
		if (str_eq(b->certs[i], cert))
			return true;
	}
	return false;
}

bool pki_bundle_add(struct pki_bundle *b, const char *cert)
{
	if (b->n == PKI_BUNDLE_MAX || pki_bundle_has(b, cert))
		return false;
	b->certs = xreallocarray(b->certs, b->n + 1, sizeof(*b->certs));
	b->certs[b->n++] = xstrdup(cert);
	return true;
}

/* Only white space is left: the end of the text, not something that cannot be read. */
static bool at_end(BIO *bio)
{
	char *rest = NULL;
	long n = BIO_get_mem_data(bio, &rest);

	for (long i = 0; i < n; i++) {
		if (!strchr(" \t\r\n", rest[i]))
			return false;
	}
	return true;
}

int pki_bundle_parse(const char *pem, struct pki_bundle *out, struct err *e)
{
	AUTO(pki_bundle_done) struct pki_bundle b = {0};
	AUTO(BIO_free) BIO *bio = BIO_new_mem_buf(pem, -1);

	ERR_clear_error();
	while (bio && !at_end(bio)) {
		AUTO(X509_free) X509 *cert = PEM_read_bio_X509(bio, NULL, no_password, NULL);
		AUTO(free) char *text = cert ? write_cert(cert) : NULL;

		if (!text)
			return failed(e, ERR_DECODE, "not certificates in PEM");
		if (!pki_bundle_add(&b, text) && b.n == PKI_BUNDLE_MAX)
			return err_set(e, ERR_DECODE, 0, "more than %d certificates",
				       PKI_BUNDLE_MAX);
	}
	*out = b;
	b = (struct pki_bundle){0};
	return 0;
}

char *pki_bundle_format(const struct pki_bundle *b)
{
	struct sb sb = SB_INIT;

	for (size_t i = 0; i < b->n; i++)
		sb_puts(&sb, b->certs[i]);
	return sb_take(&sb);
}
