/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/test.h"

#include <openssl/ssl.h>

#include "lib/kube/certs_test.h"
#include "lib/kube/fake_test.h"

struct fixture {
	struct test_cert ca, other_ca, server, client;
	struct fake fake;
	char *url;
	struct kube_config cfg;
};

static SSL_CTX *server_ctx(const struct fixture *x, bool ask)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	SSL_CTX_use_certificate(ctx, x->server.cert);
	SSL_CTX_use_PrivateKey(ctx, x->server.key);
	X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), x->ca.cert);
	SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"t", 1);
	if (ask)
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	return ctx;
}

static void begin(struct fixture *x, const char *san, struct fake_reply *replies, size_t n)
{
	memset(x, 0, sizeof(*x));
	x->ca = test_cert_make(NULL, NULL, "ca", NULL);
	x->other_ca = test_cert_make(NULL, NULL, "another ca", NULL);
	x->server = test_cert_make(&x->ca, NULL, "server", san);
	x->client = test_cert_make(&x->ca, "group", "user", NULL);
	x->fake.tls = server_ctx(x, true);
	x->fake.replies = replies;
	x->fake.n_replies = n;
	fake_start(&x->fake);
	x->url = xasprintf("https://127.0.0.1:%d", x->fake.port);
	x->cfg = (struct kube_config){.source = (char *)"test",
				      .server = x->url,
				      .ca_pem = x->ca.cert_pem,
				      .cert_pem = x->client.cert_pem,
				      .key_pem = x->client.key_pem};
}

#define BEGIN(x, san, ...)                            \
	struct fake_reply replies_[] = {__VA_ARGS__}; \
	struct fixture x;                             \
	begin(&x, san, replies_, sizeof(replies_) / sizeof(replies_[0]))

static void end(struct fixture *x)
{
	fake_stop(&x->fake);
	SSL_CTX_free(x->fake.tls);
	free(x->url);
	test_cert_done(&x->ca);
	test_cert_done(&x->other_ca);
	test_cert_done(&x->server);
	test_cert_done(&x->client);
}

/* One GET by a client of its own. */
static int get(struct fixture *x, struct kube_response *res, struct err *e)
{
	AUTO(kube_client_free) struct kube_client *c = NULL;
	struct kube_request req = kube_request_get("/a", NULL, in_ms(1500));

	assert_int_equal(kube_client_new(&x->cfg, NULL, &c, e), 0);
	return kube_do(c, &req, res, e);
}

/*
 * The server's no to a client comes only when a TLS 1.3 client takes the handshake for done, and a
 * read is tried again until its deadline: that comes in a pause or in an attempt.
 */
static void assert_turned_away(struct fixture *x)
{
	AUTO(kube_response_done) struct kube_response res = KUBE_RESPONSE_INIT;
	struct err e = {0};

	assert_int_equal(get(x, &res, &e), -1);
	assert_true(e.kind == ERR_TRANSPORT ||
		    (e.kind == ERR_TIMEOUT && strstr(e.msg, "; before that: ")));
	assert_int_equal(res.status, 0);
}

static void test_both_sides_are_verified(void **state)
{
	AUTO(kube_response_done) struct kube_response res = KUBE_RESPONSE_INIT;
	struct err e = {0};

	(void)state;
	BEGIN(x, "IP:127.0.0.1", {.body = "1"}, {.body = "2"});
	assert_int_equal(get(&x, &res, &e), 0);
	assert_string_equal(res.body, "1");
	x.cfg.ca_pem = x.other_ca.cert_pem;
	assert_int_equal(get(&x, &res, &e), -1);
	assert_int_equal(e.kind, ERR_TRANSPORT);
	assert_non_null(strstr(e.msg, "certificate"));
	assert_false(res.unknown);
	/* Without trust in anything but the system's authorities. */
	x.cfg.ca_pem = NULL;
	assert_int_equal(get(&x, &res, &e), -1);
	x.cfg.insecure = true;
	assert_int_equal(get(&x, &res, &e), 0);
	assert_string_equal(res.body, "2");
	x.cfg.cert_pem = x.cfg.key_pem = NULL;
	assert_turned_away(&x);
	assert_int_equal(fake_count(&x.fake, "GET"), 2);
	end(&x);
}

static void test_server_name(void **state)
{
	AUTO(kube_response_done) struct kube_response res = KUBE_RESPONSE_INIT;
	struct err e = {0};

	(void)state;
	BEGIN(x, "DNS:kubernetes.default", {.body = "1"});
	assert_int_equal(get(&x, &res, &e), -1);
	assert_int_equal(e.kind, ERR_TRANSPORT);
	x.cfg.tls_server_name = (char *)"kubernetes";
	assert_int_equal(get(&x, &res, &e), -1);
	x.cfg.tls_server_name = (char *)"kubernetes.default";
	assert_int_equal(get(&x, &res, &e), 0);
	assert_string_equal(res.body, "1");
	end(&x);
}

static void test_bad_key(void **state)
{
	AUTO(kube_response_done) struct kube_response res = KUBE_RESPONSE_INIT;
	struct err e = {0};

	(void)state;
	BEGIN(x, "IP:127.0.0.1", {.body = "1"});
	x.cfg.key_pem = x.server.key_pem;
	assert_int_equal(get(&x, &res, &e), -1);
	assert_int_equal(e.kind, ERR_TRANSPORT);
	end(&x);
}

static void test_one_handshake_for_many(void **state)
{
	AUTO(kube_response_done) struct kube_response res = KUBE_RESPONSE_INIT;
	struct kube_client *c = NULL;
	struct kube_client_stats stats;
	struct err e = {0};

	(void)state;
	BEGIN(x, "IP:127.0.0.1", {.body = "1"}, {.body = "2"}, {.kind = FAKE_CLOSE}, {.body = "4"});
	assert_int_equal(kube_client_new(&x.cfg, NULL, &c, &e), 0);
	for (int i = 0; i < 3; i++) {
		struct kube_request req = kube_request_get("/a", NULL, in_ms(3000));

		assert_int_equal(kube_do(c, &req, &res, &e), 0);
	}
	assert_string_equal(res.body, "4");
	kube_client_stats(c, &stats);
	assert_int_equal(stats.connections, 2);
	/* The second connection resumed the first one's session. */
	assert_int_equal(SSL_CTX_sess_hits(x.fake.tls), 1);
	kube_client_free(c);
	end(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_sides_are_verified),
		cmocka_unit_test(test_server_name),
		cmocka_unit_test(test_bad_key),
		cmocka_unit_test(test_one_handshake_for_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
