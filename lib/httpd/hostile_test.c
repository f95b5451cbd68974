/* SPDX-License-Identifier: Apache-2.0 */
/* Clients that are slow, broken, greedy or many. */
#include "lib/base/time_test.h"
#include "lib/base/test.h"

#include "lib/httpd/lab_test.h"

static void test_slow_and_split(void **state)
{
	static const char text[] = PUT("/p", "5") "hello";
	AUTO(sb_done) struct sb body = SB_INIT;
	struct server s;
	struct client c = {0};

	(void)state;
	start(&s, OPT(.tls = true));
	assert_true(shake(&c, &s, 0));
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		assert_true(say_n(&c, text + i, 1));
	assert_int_equal(hear(&c, &body, false), 200);
	assert_string_equal(sb_get(&body), "PUT /p? 5:hello");
	hang_up(&c);
	stop(&s);
}

static void test_pipelined(void **state)
{
	AUTO(sb_done) struct sb body = SB_INIT, many = SB_INIT;
	struct server s;
	struct client c;

	(void)state;
	start(&s, OPT(0));
	c = plain(&s);
	for (int i = 0; i < 500; i++)
		sb_printf(&many, "GET /%d HTTP/1.1\r\nHost: a\r\n\r\n", i);
	assert_true(say(&c, sb_get(&many)));
	for (int i = 0; i < 500; i++) {
		AUTO(free) char *want = xasprintf("GET /%d? 0:", i);

		assert_int_equal(hear(&c, &body, false), 200);
		assert_string_equal(sb_get(&body), want);
	}
	hang_up(&c);
	assert_int_equal(stop(&s).requests, 500);
}

/* The answer is read although the client goes on to send what nobody wants. */
static void test_oversized(void **state)
{
	AUTO(sb_done) struct sb body = SB_INIT;
	AUTO(free) char *junk = xcalloc(1, BIG);
	struct server s;
	struct client c;

	(void)state;
	start(&s, OPT(.max_body = 1000));
	c = plain(&s);
	assert_true(say(&c, PUT("/p", "3145728")));
	say_n(&c, junk, BIG);
	assert_int_equal(hear(&c, &body, false), 413);
	assert_true(ended(&c));
	hang_up(&c);
	assert_int_equal(stop(&s).bad, 1);
}

static void test_garbage(void **state)
{
	AUTO(sb_done) struct sb body = SB_INIT;
	struct server s, t;
	struct client c;
	struct httpd_stats stats;

	(void)state;
	start(&s, OPT(.tls = true));
	c = plain(&s);
	assert_true(say(&c, GET("/a")));
	assert_true(ended(&c));
	hang_up(&c);
	c = (struct client){0};
	assert_true(shake(&c, &s, 0));
	assert_int_equal(ask(&c, "rubbish\r\n\r\n", &body), 400);
	assert_true(ended(&c));
	hang_up(&c);
	stats = stop(&s);
	assert_int_equal(stats.handshakes_failed, 1);
	assert_int_equal(stats.bad, 1);
	start(&t, OPT(0));
	c = plain(&t);
	assert_int_equal(ask(&c, "\x16\x03\x01", &body), 400);
	hang_up(&c);
	stop(&t);
}

static void test_time_limits(void **state)
{
	AUTO(sb_done) struct sb body = SB_INIT;
	struct server s;
	struct client nothing, half, idle, handshake;
	struct httpd_stats stats;

	(void)state;
	start(&s, OPT(.request_ms = 300, .idle_ms = 100));
	nothing = plain(&s);
	half = plain(&s);
	idle = plain(&s);
	assert_true(say(&half, "PUT /p HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n1"));
	assert_int_equal(ask(&idle, GET("/a"), &body), 200);
	assert_true(ended(&idle));
	assert_true(ended(&half));
	assert_true(ended(&nothing));
	hang_up(&nothing);
	hang_up(&half);
	hang_up(&idle);
	stats = stop(&s);
	assert_int_equal(stats.timeouts, 1);
	assert_int_equal(stats.conns, 0);
	start(&s, OPT(.tls = true, .request_ms = 200));
	handshake = plain(&s);
	assert_true(ended(&handshake));
	hang_up(&handshake);
	assert_int_equal(stop(&s).timeouts, 1);
}

/* Clients that keep idle connections do not keep others out. */
static void test_many_connections(void **state)
{
	AUTO(sb_done) struct sb body = SB_INIT;
	struct client c[100];
	struct server s;
	int alive = 0;

	(void)state;
	start(&s, OPT(.max_conns = 20));
	for (size_t i = 0; i < ARRAY_SIZE(c); i++) {
		c[i] = plain(&s);
		assert_int_equal(ask(&c[i], GET("/a"), &body), 200);
	}
	assert_int_equal(stats_of(&s).conns, 20);
	for (size_t i = 0; i < ARRAY_SIZE(c); i++) {
		alive += ask(&c[i], GET("/a"), &body) == 200;
		hang_up(&c[i]);
	}
	assert_int_equal(alive, 20);
	assert_int_equal(stop(&s).refused, 0);
}

/* Those that ask for nothing make room for those that do, and only then those that asked before. */
static void test_silent_connections(void **state)
{
	AUTO(sb_done) struct sb body = SB_INIT;
	struct client silent[9], good, late;
	struct server s;
	int rc = 0;

	(void)state;
	start(&s, OPT(.max_conns = 10, .request_ms = 60000));
	good = plain(&s);
	assert_int_equal(ask(&good, GET("/a"), &body), 200);
	for (size_t i = 0; i < ARRAY_SIZE(silent); i++)
		silent[i] = plain(&s);
	/* A newcomer has a second to ask for something: until then one that is idle makes room. */
	for (int64_t until = clock_now_ms() + test_ms(30000);
	     rc != 200 && clock_now_ms() < until;) {
		struct pollfd wait = {.fd = -1};

		poll(&wait, 1, 1100);
		late = plain(&s);
		rc = ask(&late, GET("/a"), &body);
		hang_up(&late);
	}
	assert_int_equal(rc, 200);
	assert_int_equal(ask(&good, GET("/a"), &body), 200);
	hang_up(&good);
	for (size_t i = 0; i < ARRAY_SIZE(silent); i++)
		hang_up(&silent[i]);
	stop(&s);
}

/* All connections together keep no more than that. */
static void test_bytes_of_all_together(void **state)
{
	AUTO(sb_done) struct sb body = SB_INIT;
	AUTO(free) char *junk = xcalloc(1, 60000);
	struct client c[10];
	struct server s;
	int refused = 0;

	(void)state;
	start(&s, OPT(.max_body = 100000, .max_buffered = 400000));
	for (size_t i = 0; i < ARRAY_SIZE(c); i++) {
		c[i] = plain(&s);
		assert_true(say(&c[i], PUT("/p", "60001")));
		say_n(&c[i], junk, 60000);
	}
	for (size_t i = 0; i < ARRAY_SIZE(c); i++) {
		int rc = say_n(&c[i], junk, 1) ? hear(&c[i], &body, false) : 503;

		assert_true(rc == 200 || rc == 503 || rc == 0);
		refused += rc != 200;
		hang_up(&c[i]);
	}
	assert_true(refused > 0 && refused < 10);
	assert_int_equal(stop(&s).bad, refused);
}

/* Whatever comes in whatever order: it goes on. */
static void test_random_clients(void **state)
{
	AUTO(sb_done) struct sb body = SB_INIT;
	unsigned int seed = 7;
	struct server s;
	struct client c;
	int status = 0;

	(void)state;
	start(&s, OPT(.max_conns = 16));
	for (int i = 0; i < 400; i++) {
		char text[300];

		for (size_t k = 0; k < sizeof(text); k++) {
			seed = seed * 1103515245 + 12345;
			text[k] = (char)(seed >> 16);
		}
		if (i % 2)
			memcpy(text, "GET / HTTP/1.1\r\nHost: a\r\n", 25);
		c = plain(&s);
		say_n(&c, text, sizeof(text) - seed % 200);
		hang_up(&c);
	}
	/* Turned away while the last of them are not yet seen to have hung up. */
	for (int64_t end = clock_now_ms() + test_ms(20000);
	     status != 200 && clock_now_ms() < end;) {
		c = plain(&s);
		sb_clear(&body);
		status = ask(&c, GET("/a"), &body);
		hang_up(&c);
	}
	assert_int_equal(status, 200);
	stop(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slow_and_split),
		cmocka_unit_test(test_pipelined),
		cmocka_unit_test(test_oversized),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_time_limits),
		cmocka_unit_test(test_many_connections),
		cmocka_unit_test(test_silent_connections),
		cmocka_unit_test(test_bytes_of_all_together),
		cmocka_unit_test(test_random_clients),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
