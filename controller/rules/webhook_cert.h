/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The webhook's certificate: when it is made again, and in which steps, so that no call ever fails. Pure but
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
#ifndef CONTROLLER_RULES_WEBHOOK_CERT_H
#define CONTROLLER_RULES_WEBHOOK_CERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"

/* What stands in the Secret; texts may be anything. */
struct webhook_secret {
	char *cert, *key;    /* tls.crt, tls.key */
	char *authorities;   /* ca.crt, the newest last */
	char *authority_key; /* ca.key: of the newest */
};

void webhook_secret_done(struct webhook_secret *s);
DEFINE_AUTO_VALUE(struct webhook_secret, webhook_secret_done)

struct webhook_life {
	int64_t cert_s;      /* of a certificate */
	int64_t authority_s; /* of an authority */
	int64_t settle_s;    /* until what was written is known everywhere */
	int64_t overlap_s; /* that a former authority is trusted after its certificate was replaced */
};

/** webhook_life_of - the shares of those two lives. */
struct webhook_life webhook_life_of(int64_t cert_s, int64_t authority_s);

/* Since when the newest authority in the Secret is known to stand in the configuration. */
struct webhook_trust {
	char *newest;
	int64_t since_s; /* 0 = it does not */
};

void webhook_trust_done(struct webhook_trust *t);
/** webhook_trust_update - after every change of either, before anything is decided. secret may be NULL. */
void webhook_trust_update(struct webhook_trust *t, const struct webhook_secret *secret,
			  const char *trusted, int64_t now_s);

struct webhook_cert_in {
	const struct webhook_secret *secret; /* NULL = there is none */
	const char *trusted;                 /* the configuration's authorities; "" = none */
	int64_t trusted_since_s;  /* that the newest authority is among them; 0 = it is not */
	const char *const *names; /* that clients look for */
	size_t n_names;
	struct webhook_life life;
	int64_t now_s;
};

enum webhook_cert_step {
	WEBHOOK_CERT_KEEP = 0,
	WEBHOOK_CERT_ANEW,      /* all of it: there is none, or it cannot be used */
	WEBHOOK_CERT_AUTHORITY, /* add the next authority */
	WEBHOOK_CERT_RENEW,     /* a certificate of the newest authority */
};

/** webhook_cert_plan - what to do to the Secret. *wake_s: when to ask again, if nothing else happens. */
enum webhook_cert_step webhook_cert_plan(const struct webhook_cert_in *in, int64_t *wake_s);

/** webhook_cert_make - the Secret after that step. ERR_INTERNAL. */
int webhook_cert_make(const struct webhook_cert_in *in, enum webhook_cert_step step,
		      struct webhook_secret *out, struct err *e) FN_MUST;

/** webhook_cert_is_usable - a certificate with its key, of one of the authorities beside it. */
bool webhook_cert_is_usable(const struct webhook_secret *s);
/** webhook_cert_signer - the authority in the Secret that signed its certificate. NULL = none. The caller frees it. */
char *webhook_cert_signer(const struct webhook_secret *s);
/** webhook_cert_newest - the last of the authorities; NULL = none. The caller frees it. */
char *webhook_cert_newest(const struct webhook_secret *s);

/**
 * webhook_cert_trust - the authorities that the configuration must name now. The caller frees it.
 * @wake_s: when one of them is to leave; 0 = none
 */
char *webhook_cert_trust(const struct webhook_cert_in *in, int64_t *wake_s);

/**
 * webhook_cert_may_show - may the Secret's certificate take the place of the one that is shown (NULL = none)?
 *
 * Not before those who call have learnt of its authority.
 */
bool webhook_cert_may_show(const struct webhook_cert_in *in, const char *shown);

#endif
