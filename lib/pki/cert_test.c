/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/test.h"

#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/pki/cert.h"

#define T0 1800000000

static struct pki_pair authority(const char *name)
{
	struct pki_spec spec = {.common_name = name, .not_before = T0, .not_after = T0 + 1000};
	struct pki_pair p = {0};
	struct err e = {0};

	assert_int_equal(pki_make_authority(&spec, &p, &e), 0);
	return p;
}

static struct pki_pair server(const struct pki_pair *ca, const char *const *names, size_t n)
{
	struct pki_spec spec = {"server", names, n, T0 + 10, T0 + 90};
	struct pki_pair p = {0};
	struct err e = {0};

	assert_int_equal(pki_make_server(ca, &spec, &p, &e), 0);
	return p;
}

static void test_made_and_read(void **state)
{
	static const char *const names[] = {"hook.kube-system.svc", "127.0.0.1", "fd00::1"};
	AUTO(pki_pair_done) struct pki_pair ca = authority("ca"), other = authority("ca");
	AUTO(pki_pair_done) struct pki_pair s = server(&ca, names, 3);
	int64_t from = 0, until = 0;
	struct err e = {0};

	(void)state;
	assert_int_equal(pki_times(s.cert, &from, &until, &e), 0);
	assert_int_equal(from, T0 + 10);
	assert_int_equal(until, T0 + 90);
	assert_true(pki_key_fits(s.cert, s.key));
	assert_false(pki_key_fits(s.cert, ca.key));
	assert_true(pki_is_signed_by(s.cert, ca.cert));
	assert_true(pki_is_signed_by(ca.cert, ca.cert));
	/* Same name, another key. */
	assert_false(pki_is_signed_by(s.cert, other.cert));
	/* A server's certificate is no authority. */
	assert_false(pki_is_signed_by(s.cert, s.cert));
	for (size_t i = 0; i < 3; i++)
		assert_true(pki_has_name(s.cert, names[i]));
	assert_false(pki_has_name(s.cert, "server"));
	assert_false(pki_has_name(s.cert, "127.0.0.2"));
	assert_false(pki_has_name(s.cert, "hook.kube-system.svc.evil.example"));
	assert_false(pki_has_name("", "a"));
}

static void test_names_cannot_break_out(void **state)
{
	static const char *const names[] = {"a,DNS:evil.example"};
	AUTO(pki_pair_done) struct pki_pair ca = authority("ca");
	AUTO(pki_pair_done) struct pki_pair s = server(&ca, names, 1);

	(void)state;
	assert_false(pki_has_name(s.cert, "evil.example"));
}

static void test_every_one_differs(void **state)
{
	static const char *const names[] = {"a"};
	AUTO(pki_pair_done) struct pki_pair ca = authority("ca");
	AUTO(pki_pair_done) struct pki_pair a = server(&ca, names, 1), b = server(&ca, names, 1);

	(void)state;
	assert_string_not_equal(a.cert, b.cert);
	assert_string_not_equal(a.key, b.key);
}

static void test_what_is_refused(void **state)
{
	AUTO(pki_pair_done) struct pki_pair ca = authority("ca"), other = authority("other");
	struct pki_pair mixed = {ca.cert, other.key}, junk = {(char *)"x", (char *)"y"}, out = {0};
	struct pki_spec spec = {.common_name = "s", .not_before = T0, .not_after = T0 + 1};
	int64_t from = 1, until = 2;
	struct err e = {0};

	(void)state;
	assert_int_equal(pki_make_server(&mixed, &spec, &out, &e), -1);
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_int_equal(pki_make_server(&junk, &spec, &out, &e), -1);
	assert_int_equal(pki_times("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
				   &from, &until, &e),
			 -1);
	assert_int_equal(e.kind, ERR_DECODE);
	assert_int_equal(from, 1);
	assert_false(pki_key_fits("", ""));
	assert_null(out.cert);
}

static void test_bundles(void **state)
{
	AUTO(pki_pair_done) struct pki_pair a = authority("a"), b = authority("b");
	AUTO(pki_bundle_done) struct pki_bundle bundle = {0}, again = {0}, none = {0};
	AUTO(free) char *text = NULL, *loose = NULL, *broken = NULL;
	struct err e = {0};

	(void)state;
	assert_true(pki_bundle_add(&bundle, a.cert));
	assert_true(pki_bundle_add(&bundle, b.cert));
	assert_false(pki_bundle_add(&bundle, a.cert));
	text = pki_bundle_format(&bundle);
	loose = xasprintf("# two of them\n%s\n\n%s\n \n", a.cert, b.cert);
	assert_int_equal(pki_bundle_parse(loose, &again, &e), 0);
	assert_int_equal(again.n, 2);
	assert_string_equal(again.certs[0], a.cert);
	assert_true(pki_bundle_has(&again, b.cert));
	assert_int_equal(pki_bundle_parse(" \n", &none, &e), 0);
	assert_int_equal(none.n, 0);
	broken = xstrndup(text, strlen(text) - 40);
	assert_int_equal(pki_bundle_parse(broken, &none, &e), -1);
	assert_int_equal(e.kind, ERR_DECODE);
	assert_int_equal(pki_bundle_parse("rubbish", &none, &e), -1);
}

static void test_bundles_have_an_end(void **state)
{
	AUTO(pki_bundle_done) struct pki_bundle bundle = {0}, back = {0};
	AUTO(free) char *text = NULL, *more = NULL;
	struct err e = {0};

	(void)state;
	for (int i = 0; i < PKI_BUNDLE_MAX; i++) {
		AUTO(pki_pair_done) struct pki_pair p = authority("x");

		assert_true(pki_bundle_add(&bundle, p.cert));
	}
	AUTO(pki_pair_done) struct pki_pair last = authority("x");
	assert_false(pki_bundle_add(&bundle, last.cert));
	text = pki_bundle_format(&bundle);
	assert_int_equal(pki_bundle_parse(text, &back, &e), 0);
	assert_int_equal(back.n, PKI_BUNDLE_MAX);
	pki_bundle_done(&back);
	more = xasprintf("%s%s", text, last.cert);
	assert_int_equal(pki_bundle_parse(more, &back, &e), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_made_and_read),
		cmocka_unit_test(test_names_cannot_break_out),
		cmocka_unit_test(test_every_one_differs),
		cmocka_unit_test(test_what_is_refused),
		cmocka_unit_test(test_bundles),
		cmocka_unit_test(test_bundles_have_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
