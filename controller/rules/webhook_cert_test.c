/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/test.h"

#include <string.h>

#include "controller/rules/webhook_cert.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/pki/cert.h"

#define T0       1800000000
#define REPLICAS 3

static const char *const names[] = {"hook.kube-system.svc", "127.0.0.1"};

/* Replicas and an API server, each of them behind by seconds of its own. */
struct replica {
	struct webhook_secret pair; /* shown; cert NULL = none yet */
	char *trusted;              /* as this one has seen the configuration */
	struct webhook_trust trust;
	int64_t lag_s;
};

struct lab {
	struct webhook_life life;
	struct webhook_secret secret;
	char *trusted; /* the configuration */
	char *seen_by_server;
	int64_t server_lag_s, changed_s, now_s;
	struct replica replica[REPLICAS];
	unsigned int anew, authorities, renewals;
	bool restarts; /* the last replica begins again every second, and shows what it finds */
	size_t most_trusted;
};

static struct webhook_cert_in input(struct lab *lab, struct replica *r)
{
	const struct webhook_secret *secret = lab->secret.cert ? &lab->secret : NULL;

	webhook_trust_update(&r->trust, secret, r->trusted, lab->now_s);
	return (struct webhook_cert_in){.secret = secret,
					.trusted = r->trusted,
					.trusted_since_s = r->trust.since_s,
					.names = names,
					.n_names = ARRAY_SIZE(names),
					.life = lab->life,
					.now_s = lab->now_s};
}

static void set(char **to, const char *text)
{
	free(*to);
	*to = xstrdup(text);
}

/* What the replica sees of the configuration now. */
static void look(struct lab *lab, struct replica *r)
{
	if (lab->now_s >= lab->changed_s + r->lag_s)
		set(&r->trusted, lab->trusted);
}

static void lead(struct lab *lab, struct replica *r)
{
	struct webhook_cert_in in = input(lab, r);
	AUTO(free) char *trust = NULL;
	struct webhook_secret next = {0};
	struct err e = {0};
	int64_t wake = 0;
	enum webhook_cert_step step = webhook_cert_plan(&in, &wake);

	if (step != WEBHOOK_CERT_KEEP) {
		assert_int_equal(webhook_cert_make(&in, step, &next, &e), 0);
		webhook_secret_done(&lab->secret);
		lab->secret = next;
		lab->changed_s = lab->now_s;
		lab->anew += step == WEBHOOK_CERT_ANEW;
		lab->authorities += step == WEBHOOK_CERT_AUTHORITY;
		lab->renewals += step == WEBHOOK_CERT_RENEW;
		return;
	}
	trust = webhook_cert_trust(&in, &wake);
	if (!str_eq(trust, lab->trusted)) {
		set(&lab->trusted, trust);
		lab->changed_s = lab->now_s;
	}
}

static void show(struct lab *lab, struct replica *r)
{
	struct webhook_cert_in in = input(lab, r);

	if (!in.secret || (r->pair.cert && lab->now_s < lab->changed_s + r->lag_s) ||
	    str_eq(r->pair.cert, lab->secret.cert) || !webhook_cert_may_show(&in, r->pair.cert))
		return;
	set(&r->pair.cert, lab->secret.cert);
	set(&r->pair.key, lab->secret.key);
}

static bool verifies(struct lab *lab, const struct replica *r)
{
	AUTO(pki_bundle_done) struct pki_bundle trusted = {0};
	int64_t from, until, ca_from, ca_until;
	struct err e = {0};

	assert_int_equal(pki_times(r->pair.cert, &from, &until, &e), 0);
	assert_int_equal(pki_bundle_parse(lab->seen_by_server, &trusted, &e), 0);
	if (lab->now_s < from || lab->now_s > until || !pki_has_name(r->pair.cert, names[0]) ||
	    !pki_key_fits(r->pair.cert, r->pair.key))
		return false;
	if (trusted.n > lab->most_trusted)
		lab->most_trusted = trusted.n;
	for (size_t i = 0; i < trusted.n; i++) {
		assert_int_equal(pki_times(trusted.certs[i], &ca_from, &ca_until, &e), 0);
		if (pki_is_signed_by(r->pair.cert, trusted.certs[i]) && lab->now_s >= ca_from &&
		    lab->now_s <= ca_until)
			return true;
	}
	return false;
}

static void restart(struct lab *lab, struct replica *r)
{
	webhook_secret_done(&r->pair);
	webhook_trust_done(&r->trust);
	set(&r->trusted, lab->trusted);
}

static void tick(struct lab *lab)
{
	lab->now_s++;
	if (lab->restarts)
		restart(lab, &lab->replica[REPLICAS - 1]);
	for (size_t i = 0; i < REPLICAS; i++)
		look(lab, &lab->replica[i]);
	lead(lab, &lab->replica[0]);
	for (size_t i = 0; i < REPLICAS; i++)
		show(lab, &lab->replica[i]);
	if (lab->now_s >= lab->changed_s + lab->server_lag_s)
		set(&lab->seen_by_server, lab->trusted);
}

static void begin(struct lab *lab, int64_t cert_s, int64_t authority_s)
{
	memset(lab, 0, sizeof(*lab));
	lab->life = webhook_life_of(cert_s, authority_s);
	lab->now_s = T0;
	lab->trusted = xstrdup("");
	lab->seen_by_server = xstrdup("");
	lab->server_lag_s = lab->life.settle_s - 1;
	for (size_t i = 0; i < REPLICAS; i++) {
		lab->replica[i].trusted = xstrdup("");
		lab->replica[i].lag_s = (int64_t)i * lab->life.settle_s / REPLICAS;
	}
	for (int i = 0; i < 10; i++)
		tick(lab);
}

static void end(struct lab *lab)
{
	webhook_secret_done(&lab->secret);
	free(lab->trusted);
	free(lab->seen_by_server);
	for (size_t i = 0; i < REPLICAS; i++) {
		webhook_secret_done(&lab->replica[i].pair);
		free(lab->replica[i].trusted);
		webhook_trust_done(&lab->replica[i].trust);
	}
}

static void run_and_verify(struct lab *lab, int64_t seconds)
{
	for (int64_t i = 0; i < seconds; i++) {
		tick(lab);
		for (size_t r = 0; r < REPLICAS; r++)
			if (!verifies(lab, &lab->replica[r]))
				fail_msg("replica %zu, second %lld", r,
					 (long long)(lab->now_s - T0));
	}
}

/* Through many certificates and authorities every replica is trusted in every second. */
static void test_no_call_fails(void **state)
{
	struct lab lab;

	(void)state;
	begin(&lab, 60, 150);
	lab.restarts = true;
	run_and_verify(&lab, 300);
	assert_int_equal(lab.anew, 1);
	assert_in_range(lab.authorities, 2, 5);
	assert_in_range(lab.renewals, 5, 12);
	assert_int_equal(lab.most_trusted, 2);
	end(&lab);
}

/* Somebody deletes the Secret, or spoils it: all is made anew, and still no call fails. */
static void test_deleted_and_spoilt(void **state)
{
	struct lab lab;

	(void)state;
	begin(&lab, 60, 4000);
	webhook_secret_done(&lab.secret);
	run_and_verify(&lab, 40);
	assert_int_equal(lab.anew, 2);
	set(&lab.secret.key, lab.secret.authority_key);
	run_and_verify(&lab, 40);
	assert_int_equal(lab.anew, 3);
	set(&lab.secret.authorities, "rubbish");
	run_and_verify(&lab, 40);
	assert_int_equal(lab.anew, 4);
	set(&lab.secret.cert, "");
	run_and_verify(&lab, 40);
	assert_int_equal(lab.anew, 5);
	assert_int_equal(lab.most_trusted, 2);
	end(&lab);
}

static void test_other_names(void **state)
{
	static const char *const other[] = {"elsewhere.example"};
	struct lab lab;
	struct webhook_cert_in in;
	struct webhook_secret next = {0};
	struct err e = {0};
	int64_t wake = 0;

	(void)state;
	begin(&lab, 60, 4000);
	in = input(&lab, &lab.replica[0]);
	assert_int_equal(webhook_cert_plan(&in, &wake), WEBHOOK_CERT_KEEP);
	in.names = other;
	in.n_names = 1;
	assert_int_equal(webhook_cert_plan(&in, &wake), WEBHOOK_CERT_RENEW);
	assert_int_equal(webhook_cert_make(&in, WEBHOOK_CERT_RENEW, &next, &e), 0);
	assert_true(pki_has_name(next.cert, "elsewhere.example"));
	assert_string_equal(next.authorities, lab.secret.authorities);
	webhook_secret_done(&next);
	end(&lab);
}

/* A year and ten: when it wants to be woken, and what happens then. */
static void test_real_lives(void **state)
{
	const int64_t day = 86400;
	struct lab lab;
	struct webhook_cert_in in;
	int64_t wake = 0, from = 0, until = 0;
	struct err e = {0};

	(void)state;
	begin(&lab, 365 * day, 3650 * day);
	assert_int_equal(lab.life.settle_s, 60);
	assert_int_equal(lab.life.overlap_s, 600);
	in = input(&lab, &lab.replica[0]);
	assert_int_equal(webhook_cert_plan(&in, &wake), WEBHOOK_CERT_KEEP);
	assert_in_range(wake - T0, 243 * day, 244 * day);
	in.now_s = wake;
	assert_int_equal(webhook_cert_plan(&in, &wake), WEBHOOK_CERT_RENEW);
	assert_int_equal(pki_times(lab.secret.authorities, &from, &until, &e), 0);
	in.now_s = T0 + 2434 * day;
	assert_int_equal(webhook_cert_plan(&in, &wake), WEBHOOK_CERT_AUTHORITY);
	in.now_s = until;
	assert_int_equal(webhook_cert_plan(&in, &wake), WEBHOOK_CERT_ANEW);
	end(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_call_fails),
		cmocka_unit_test(test_deleted_and_spoilt),
		cmocka_unit_test(test_other_names),
		cmocka_unit_test(test_real_lives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
