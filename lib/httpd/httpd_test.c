/* SPDX-License-Identifier: Apache-2.0 */
/* What it answers, and how it is set up. */
#include "lib/base/test.h"

#include "lib/httpd/lab_test.h"

static void exchange(struct client *c)
{
	AUTO(sb_done) struct sb body = SB_INIT;

	assert_int_equal(ask(c, GET("/a?b=c"), &body), 200);
	assert_string_equal(sb_get(&body), "GET /a?b=c 0:");
	assert_int_equal(ask(c, GET("/none"), &body), 404);
	assert_int_equal(ask(c, PUT("/p", "5") "hello", &body), 200);
	assert_string_equal(sb_get(&body), "PUT /p? 5:hello");
	assert_true(say(c, "HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n"));
	assert_int_equal(hear(c, &body, true), 200);
	assert_int_equal(ask(c, GET("/big"), &body), 200);
	assert_int_equal(body.len, BIG);
	assert_int_equal(ask(c, "GET /z HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", &body),
			 200);
	assert_true(ended(c));
}

static void test_plain(void **state)
{
	struct server s;
	struct client c;
	struct httpd_stats stats;

	(void)state;
	start(&s, OPT(0));
	c = plain(&s);
	exchange(&c);
	hang_up(&c);
	stats = stop(&s);
	assert_int_equal(stats.requests, 6);
	assert_int_equal(stats.accepted, 1);
}

static void test_tls(void **state)
{
	static const int versions[] = {TLS1_2_VERSION, 0};
	struct server s;
	struct httpd_stats stats;

	(void)state;
	start(&s, OPT(.tls = true));
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		struct client c = {0};

		assert_true(shake(&c, &s, versions[i]));
		exchange(&c);
		hang_up(&c);
	}
	stats = stop(&s);
	assert_int_equal(stats.requests, 12);
	assert_int_equal(stats.handshakes_failed, 0);
}

static void test_tls_is_not_old(void **state)
{
	AUTO(sb_done) struct sb body = SB_INIT;
	struct server s;
	struct client c = {0};

	(void)state;
	start(&s, OPT(.tls = true));
	assert_false(shake(&c, &s, TLS1_1_VERSION));
	hang_up(&c);
	/* No second handshake on a connection. */
	c = (struct client){0};
	assert_true(shake(&c, &s, TLS1_2_VERSION));
	assert_int_equal(ask(&c, GET("/a"), &body), 200);
	SSL_renegotiate(c.ssl);
	assert_true(SSL_do_handshake(c.ssl) != 1 || !ask(&c, GET("/a"), &body));
	hang_up(&c);
	stop(&s);
}

static void test_certificate_is_exchanged(void **state)
{
	AUTO(sb_done) struct sb body = SB_INIT;
	struct server s;
	struct client before = {0}, after = {0}, distrusts = {0};
	struct pki_pair old;
	struct err e = {0};

	(void)state;
	start(&s, OPT(.tls = true));
	assert_true(shake(&before, &s, 0));
	assert_int_equal(ask(&before, GET("/a"), &body), 200);
	old = s.ca;
	s.ca = (struct pki_pair){0};
	new_pair(&s);
	use_pair(&s);
	assert_true(shake(&after, &s, 0));
	assert_int_equal(ask(&after, GET("/a"), &body), 200);
	assert_int_equal(ask(&before, GET("/a"), &body), 200);
	/* One that cannot be used changes nothing. */
	pthread_mutex_lock(&s.lock);
	assert_int_equal(httpd_use_certificate(s.httpd, s.pair.cert, old.key, &e), -1);
	assert_int_equal(httpd_use_certificate(s.httpd, "x", s.pair.key, &e), -1);
	pthread_mutex_unlock(&s.lock);
	pki_pair_done(&s.ca);
	s.ca = old;
	assert_false(shake(&distrusts, &s, 0));
	hang_up(&before);
	hang_up(&after);
	hang_up(&distrusts);
	stop(&s);
}

static void test_without_certificate(void **state)
{
	struct httpd_options opt = {.bind = "127.0.0.1:0", .tls = true, .handler = handle};
	struct server s = {0};
	struct client c;
	struct err e = {0};

	(void)state;
	assert_int_equal(httpd_new(&opt, &s.httpd, &e), 0);
	pthread_mutex_init(&s.lock, NULL);
	pthread_create(&s.thread, NULL, run, &s);
	c = plain(&s);
	assert_true(ended(&c));
	hang_up(&c);
	assert_int_equal(stop(&s).refused, 1);
}

static void test_continue(void **state)
{
	AUTO(sb_done) struct sb body = SB_INIT;
	struct server s;
	struct client c;

	(void)state;
	start(&s, OPT(0));
	c = plain(&s);
	assert_true(say(&c, "PUT /p HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
			    "Content-Length: 2\r\n\r\n"));
	assert_int_equal(hear(&c, &body, true), 100);
	assert_int_equal(ask(&c, "ab", &body), 200);
	assert_string_equal(sb_get(&body), "PUT /p? 2:ab");
	hang_up(&c);
	stop(&s);
}

static void test_addresses(void **state)
{
	static const char *const bad[] = {"",         "9443",    "localhost:1", "1.2.3.4:70000",
					  "1.2.3.4:", "::1:80",  "[1.2.3.4]:1", "[::1:1",
					  ":x",       "[::1]:-1"};
	static const char *const good[] = {":0", "127.0.0.1:0", "[::1]:0", "0.0.0.0:0"};
	struct httpd_options opt = {.handler = handle};
	struct httpd *h = NULL, *second = NULL;
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		opt.bind = bad[i];
		assert_int_equal(httpd_new(&opt, &h, &e), -1);
		assert_int_equal(e.kind, ERR_CONFIG);
	}
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		opt.bind = good[i];
		if (httpd_new(&opt, &h, &e) < 0) {
			/* Only for want of IPv6. */
			assert_string_equal(good[i], "[::1]:0");
			continue;
		}
		assert_int_not_equal(httpd_port(h), 0);
		httpd_free(h);
	}
	opt.bind = "127.0.0.1:0";
	assert_int_equal(httpd_new(&opt, &h, &e), 0);
	AUTO(free) char *same = xasprintf("127.0.0.1:%u", httpd_port(h));
	opt.bind = same;
	assert_int_equal(httpd_new(&opt, &second, &e), -1);
	assert_int_equal(e.kind, ERR_IO);
	assert_int_equal(e.num, EADDRINUSE);
	httpd_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_tls),
		cmocka_unit_test(test_tls_is_not_old),
		cmocka_unit_test(test_certificate_is_exchanged),
		cmocka_unit_test(test_without_certificate),
		cmocka_unit_test(test_continue),
		cmocka_unit_test(test_addresses),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
