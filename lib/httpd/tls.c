/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/httpd/tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "lib/base/auto.h"

DEFINE_AUTO(BIO, BIO_free)
DEFINE_AUTO(X509, X509_free)
DEFINE_AUTO(EVP_PKEY, EVP_PKEY_free)
DEFINE_AUTO(SSL_CTX, SSL_CTX_free)

static int failed(struct err *e, const char *what)
{
	char text[160];

	ERR_error_string_n(ERR_peek_last_error(), text, sizeof(text));
	ERR_clear_error();
	return err_set(e, ERR_CONFIG, 0, "%s: %s", what, text);
}

/* Never asks the terminal for a password. */
static int no_password(char *buf, int size, int writing, void *ctx)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)ctx;
	return 0;
}

static int use_chain(SSL_CTX *ctx, const char *pem, struct err *e)
{
	AUTO(BIO_free) BIO *bio = BIO_new_mem_buf(pem, -1);
	AUTO(X509_free) X509 *leaf = NULL;
	X509 *next;

	leaf = bio ? PEM_read_bio_X509(bio, NULL, no_password, NULL) : NULL;
	if (!leaf || SSL_CTX_use_certificate(ctx, leaf) != 1)
		return failed(e, "certificate");
	while ((next = PEM_read_bio_X509(bio, NULL, no_password, NULL))) {
		if (SSL_CTX_add0_chain_cert(ctx, next) != 1) {
			X509_free(next);
			return failed(e, "certificate chain");
		}
	}
	/* The end of the text is an error to the reader of PEM. */
	ERR_clear_error();
	return 0;
}

static int use_key(SSL_CTX *ctx, const char *pem, struct err *e)
{
	AUTO(BIO_free) BIO *bio = BIO_new_mem_buf(pem, -1);
	AUTO(EVP_PKEY_free) EVP_PKEY *key = NULL;

	key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;
	if (!key || SSL_CTX_use_PrivateKey(ctx, key) != 1 || SSL_CTX_check_private_key(ctx) != 1)
		return failed(e, "private key");
	return 0;
}

int httpd_tls_new(const char *cert_pem, const char *key_pem, struct ssl_ctx_st **out, struct err *e)
{
	AUTO(SSL_CTX_free) SSL_CTX *ctx = NULL;

	ERR_clear_error();
	ctx = SSL_CTX_new(TLS_server_method());
	if (!ctx || SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1)
		return failed(e, "TLS");
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
					 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(ctx, 0);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	if (use_chain(ctx, cert_pem, e) < 0 || use_key(ctx, key_pem, e) < 0)
		return -1;
	*out = STEAL(ctx);
	return 0;
}
