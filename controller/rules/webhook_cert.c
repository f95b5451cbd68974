/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/rules/webhook_cert.h"

#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/pki/cert.h"

#define SETTLE_MAX_S   60
#define BACKDATE_MAX_S 3600
#define THEIRS_MAX     8 /* former authorities, so that there is room for ours */

static void wipe(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

void webhook_secret_done(struct webhook_secret *s)
{
	free(s->cert);
	wipe(s->key);
	free(s->authorities);
	wipe(s->authority_key);
	*s = (struct webhook_secret){0};
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

struct webhook_life webhook_life_of(int64_t cert_s, int64_t authority_s)
{
	int64_t settle_s = least(cert_s / 20, SETTLE_MAX_S);

	settle_s = settle_s ? settle_s : 1;
	return (struct webhook_life){cert_s, authority_s, settle_s, 10 * settle_s};
}

/* For API servers whose clock is behind ours. */
static int64_t backdate(int64_t life_s)
{
	return least(life_s / 10, BACKDATE_MAX_S);
}

/* ------------------------------------------------------------------------------- looking */

static bool authorities_of(const struct webhook_secret *s, struct pki_bundle *out)
{
	struct err ignored = {0};

	return pki_bundle_parse(s->authorities, out, &ignored) == 0 && out->n;
}

char *webhook_cert_signer(const struct webhook_secret *s)
{
	AUTO(pki_bundle_done) struct pki_bundle all = {0};

	if (!authorities_of(s, &all))
		return NULL;
	for (size_t i = all.n; i > 0; i--) {
		if (pki_is_signed_by(s->cert, all.certs[i - 1]))
			return xstrdup(all.certs[i - 1]);
	}
	return NULL;
}

char *webhook_cert_newest(const struct webhook_secret *s)
{
	AUTO(pki_bundle_done) struct pki_bundle all = {0};

	return authorities_of(s, &all) ? xstrdup(all.certs[all.n - 1]) : NULL;
}

void webhook_trust_done(struct webhook_trust *t)
{
	free(t->newest);
	*t = (struct webhook_trust){0};
}

void webhook_trust_update(struct webhook_trust *t, const struct webhook_secret *secret,
			  const char *trusted, int64_t now_s)
{
	AUTO(pki_bundle_done) struct pki_bundle all = {0};
	AUTO(free) char *newest = secret ? webhook_cert_newest(secret) : NULL;
	struct err ignored = {0};

	if (!newest || pki_bundle_parse(trusted, &all, &ignored) < 0 ||
	    !pki_bundle_has(&all, newest)) {
		t->since_s = 0;
		return;
	}
	if (t->since_s && str_eq(t->newest, newest))
		return;
	t->since_s = now_s;
	free(t->newest);
	t->newest = STEAL(newest);
}

bool webhook_cert_is_usable(const struct webhook_secret *s)
{
	AUTO(free) char *signer = webhook_cert_signer(s);

	return signer && pki_key_fits(s->cert, s->key);
}

static bool names_are_covered(const struct webhook_cert_in *in)
{
	for (size_t i = 0; i < in->n_names; i++) {
		if (!pki_has_name(in->secret->cert, in->names[i]))
			return false;
	}
	return true;
}

/* When a third of its life is left. */
static int64_t due_of(int64_t from, int64_t until)
{
	return until - (until - from) / 3;
}

/* ------------------------------------------------------------------------------- deciding */

enum webhook_cert_step webhook_cert_plan(const struct webhook_cert_in *in, int64_t *wake_s)
{
	AUTO(free) char *newest = in->secret ? webhook_cert_newest(in->secret) : NULL;
	int64_t ca_from, ca_until, from, until, ca_due, due, settled;
	struct err ignored = {0};

	*wake_s = 0;
	if (!newest || !webhook_cert_is_usable(in->secret) ||
	    !pki_key_fits(newest, in->secret->authority_key) ||
	    pki_times(newest, &ca_from, &ca_until, &ignored) < 0 ||
	    pki_times(in->secret->cert, &from, &until, &ignored) < 0 || ca_until <= in->now_s)
		return WEBHOOK_CERT_ANEW;
	/* Early enough for whatever it signs to live its whole life. */
	ca_due = least(due_of(ca_from, ca_until), ca_until - in->life.cert_s);
	if (in->now_s >= ca_due && ca_until - ca_from > in->life.cert_s)
		return WEBHOOK_CERT_AUTHORITY;
	if (!names_are_covered(in) || until <= in->now_s)
		return WEBHOOK_CERT_RENEW;
	/* At once when another authority has followed, and at two thirds of its life. */
	due = pki_is_signed_by(in->secret->cert, newest) ? due_of(from, until) : in->now_s;
	settled = in->trusted_since_s + in->life.settle_s;
	if (!in->trusted_since_s)
		*wake_s = least(ca_due, until);
	else if (in->now_s >= due && in->now_s >= settled)
		return WEBHOOK_CERT_RENEW;
	else
		*wake_s = least(ca_due, due > settled ? due : settled);
	return WEBHOOK_CERT_KEEP;
}

/* ------------------------------------------------------------------------------- making */

static int make_authority(const struct webhook_cert_in *in, struct pki_pair *out, struct err *e)
{
	AUTO(free)
	char *name = xasprintf("tandem-controller-webhook-ca@%lld", (long long)in->now_s);
	struct pki_spec spec = {.common_name = name,
				.not_before = in->now_s - backdate(in->life.authority_s),
				.not_after = in->now_s + in->life.authority_s};

	return pki_make_authority(&spec, out, e);
}

static int make_cert(const struct webhook_cert_in *in, const struct pki_pair *authority,
		     struct pki_pair *out, struct err *e)
{
	int64_t ca_from, ca_until;
	struct pki_spec spec = {.common_name = "tandem-controller-webhook",
				.names = in->names,
				.n_names = in->n_names,
				.not_before = in->now_s - backdate(in->life.cert_s),
				.not_after = in->now_s + in->life.cert_s};

	if (pki_times(authority->cert, &ca_from, &ca_until, e) < 0)
		return -1;
	spec.not_after = least(spec.not_after, ca_until);
	return pki_make_server(authority, &spec, out, e);
}

static int make_anew(const struct webhook_cert_in *in, struct webhook_secret *out, struct err *e)
{
	AUTO(pki_pair_done) struct pki_pair ca = {0}, pair = {0};

	if (make_authority(in, &ca, e) < 0 || make_cert(in, &ca, &pair, e) < 0)
		return -1;
	*out = (struct webhook_secret){STEAL(pair.cert), STEAL(pair.key), STEAL(ca.cert),
				       STEAL(ca.key)};
	return 0;
}

static int add_authority(const struct webhook_cert_in *in, struct webhook_secret *out,
			 struct err *e)
{
	AUTO(pki_bundle_done) struct pki_bundle both = {0};
	AUTO(pki_pair_done) struct pki_pair next = {0};
	AUTO(free) char *signer = webhook_cert_signer(in->secret);

	if (make_authority(in, &next, e) < 0)
		return -1;
	pki_bundle_add(&both, signer);
	pki_bundle_add(&both, next.cert);
	*out = (struct webhook_secret){xstrdup(in->secret->cert), xstrdup(in->secret->key),
				       pki_bundle_format(&both), STEAL(next.key)};
	return 0;
}

static int renew(const struct webhook_cert_in *in, struct webhook_secret *out, struct err *e)
{
	AUTO(free) char *newest = webhook_cert_newest(in->secret);
	struct pki_pair authority = {newest, in->secret->authority_key};
	AUTO(pki_pair_done) struct pki_pair pair = {0};

	if (make_cert(in, &authority, &pair, e) < 0)
		return -1;
	*out = (struct webhook_secret){STEAL(pair.cert), STEAL(pair.key), STEAL(newest),
				       xstrdup(in->secret->authority_key)};
	return 0;
}

int webhook_cert_make(const struct webhook_cert_in *in, enum webhook_cert_step step,
		      struct webhook_secret *out, struct err *e)
{
	switch (step) {
	case WEBHOOK_CERT_AUTHORITY:
		return add_authority(in, out, e);
	case WEBHOOK_CERT_RENEW:
		return renew(in, out, e);
	default:
		return make_anew(in, out, e);
	}
}

/* ------------------------------------------------------------------------------- trusting */

static bool is_over(const char *cert, int64_t now_s)
{
	int64_t from, until;
	struct err ignored = {0};

	return pki_times(cert, &from, &until, &ignored) < 0 || until <= now_s;
}

char *webhook_cert_trust(const struct webhook_cert_in *in, int64_t *wake_s)
{
	AUTO(pki_bundle_done) struct pki_bundle ours = {0}, theirs = {0}, all = {0};
	int64_t from = 0, until = 0, leave_s;
	struct err ignored = {0};

	*wake_s = 0;
	if (!authorities_of(in->secret, &ours) ||
	    pki_times(in->secret->cert, &from, &until, &ignored) < 0)
		return xstrdup("");
	leave_s = from + backdate(in->life.cert_s) + in->life.overlap_s;
	if (pki_bundle_parse(in->trusted, &theirs, &ignored) < 0)
		theirs = (struct pki_bundle){0};
	/* Replicas may still show a certificate of one that has been followed by another. */
	for (size_t i = theirs.n > THEIRS_MAX ? theirs.n - THEIRS_MAX : 0; i < theirs.n; i++) {
		if (pki_bundle_has(&ours, theirs.certs[i]) || is_over(theirs.certs[i], in->now_s) ||
		    in->now_s >= leave_s)
			continue;
		pki_bundle_add(&all, theirs.certs[i]);
		*wake_s = leave_s;
	}
	for (size_t i = 0; i < ours.n; i++)
		pki_bundle_add(&all, ours.certs[i]);
	return pki_bundle_format(&all);
}

bool webhook_cert_may_show(const struct webhook_cert_in *in, const char *shown)
{
	if (!shown || !*in->trusted || is_over(shown, in->now_s))
		return true;
	return in->trusted_since_s && in->now_s >= in->trusted_since_s + in->life.settle_s;
}
