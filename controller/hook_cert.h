/*
 * The webhook's certificate: when it is made anew, and in which steps, so that no call ever fails. Pure but
 * for the keys that it makes.
 *
 * All replicas show the certificate that stands in one Secret. It is signed by an authority of ours, which
 * the API server trusts because the configuration says so. A certificate follows another under the same
 * authority at two thirds of its life. An authority is followed by the next one in three steps, each of
 * which leaves both sides time to learn of the one before:
 *
 *	the next authority is added to the Secret, and so to the configuration	(the old certificate goes on)
 *	a certificate of the next authority replaces the old one in the Secret	(both are trusted)
 *	the old authority leaves the configuration
 */
#ifndef CONTROLLER_HOOK_CERT_H
#define CONTROLLER_HOOK_CERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"

/* What stands in the Secret; texts may be anything. */
struct hook_secret {
	char *cert, *key;    /* tls.crt, tls.key */
	char *authorities;   /* ca.crt, the newest last */
	char *authority_key; /* ca.key: of the newest */
};

void hook_secret_done(struct hook_secret *s);
DEFINE_AUTO_VALUE(struct hook_secret, hook_secret_done)

struct hook_life {
	int64_t cert_s;      /* of a certificate */
	int64_t authority_s; /* of an authority */
	int64_t settle_s;    /* until what was written is known everywhere */
	int64_t overlap_s; /* that a former authority is trusted after its certificate was replaced */
};

/** hook_life_of - the shares of those two lives. */
struct hook_life hook_life_of(int64_t cert_s, int64_t authority_s);

/* Since when the newest authority in the Secret is known to stand in the configuration. */
struct hook_trust {
	char *newest;
	int64_t since_s; /* 0 = it does not */
};

void hook_trust_done(struct hook_trust *t);
/** hook_trust_update - after every change of either, before anything is decided. secret may be NULL. */
void hook_trust_update(struct hook_trust *t, const struct hook_secret *secret, const char *trusted,
		       int64_t now_s);

struct hook_cert_in {
	const struct hook_secret *secret; /* NULL = there is none */
	const char *trusted;              /* the configuration's authorities; "" = none */
	int64_t trusted_since_s;  /* that the newest authority is among them; 0 = it is not */
	const char *const *names; /* that clients look for */
	size_t n_names;
	struct hook_life life;
	int64_t now_s;
};

enum hook_cert_step {
	HOOK_CERT_KEEP = 0,
	HOOK_CERT_ANEW,      /* all of it: there is none, or it cannot be used */
	HOOK_CERT_AUTHORITY, /* add the next authority */
	HOOK_CERT_RENEW,     /* a certificate of the newest authority */
};

/** hook_cert_plan - what to do to the Secret. *wake_s: when to ask again, if nothing else happens. */
enum hook_cert_step hook_cert_plan(const struct hook_cert_in *in, int64_t *wake_s);

/** hook_cert_make - the Secret after that step. ERR_INTERNAL. */
int hook_cert_make(const struct hook_cert_in *in, enum hook_cert_step step, struct hook_secret *out,
		   struct err *e) FN_MUST;

/** hook_cert_is_usable - a certificate with its key, of one of the authorities beside it. */
bool hook_cert_is_usable(const struct hook_secret *s);
/** hook_cert_signer - the authority in the Secret that signed its certificate. NULL = none. The caller frees it. */
char *hook_cert_signer(const struct hook_secret *s);
/** hook_cert_newest - the last of the authorities; NULL = none. The caller frees it. */
char *hook_cert_newest(const struct hook_secret *s);

/**
 * hook_cert_trust - the authorities that the configuration must name now. The caller frees it.
 * @wake_s: when one of them is to leave; 0 = none
 */
char *hook_cert_trust(const struct hook_cert_in *in, int64_t *wake_s);

/**
 * hook_cert_may_show - may the Secret's certificate take the place of the one that is shown (NULL = none)?
 *
 * Not before those who call have learnt of its authority.
 */
bool hook_cert_may_show(const struct hook_cert_in *in, const char *shown);

#endif
