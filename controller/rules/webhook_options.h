/* SPDX-License-Identifier: Apache-2.0 */
/* Where the webhook listens and how the API server finds it. */
#ifndef CONTROLLER_RULES_WEBHOOK_OPTIONS_H
#define CONTROLLER_RULES_WEBHOOK_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"

#define WEBHOOK_DEFAULT_BIND    ":9443"
#define WEBHOOK_DEFAULT_SERVICE "tandem-controller-webhook"
#define WEBHOOK_PATH            "/admit"

struct webhook_options {
	const char *bind;    /* NULL = not said; "" and "0" = off */
	const char *service; /* in the system namespace; NULL = not said */
	const char *url;     /* instead of the service; NULL = none */
	int64_t cert_ms;     /* life of a certificate */
	int64_t authority_ms;
};

/** webhook_options_defaults - nothing said; a year, and ten. */
struct webhook_options webhook_options_defaults(void);

/**
 * webhook_options_check - fill in what was not said. ERR_CONFIG.
 * @in_cluster: the controller runs in a pod; elsewhere the webhook is off unless an option asks for it,
 *	since no Service would lead to it
 */
int webhook_options_check(struct webhook_options *o, bool in_cluster, struct err *e) FN_MUST;

/** webhook_options_is_on - after webhook_options_check(). */
bool webhook_options_is_on(const struct webhook_options *o);

#define WEBHOOK_NAMES 3

/* What clients look for in the certificate. */
struct webhook_names {
	char *name[WEBHOOK_NAMES];
	size_t n;
};

void webhook_names_done(struct webhook_names *n);
DEFINE_AUTO_VALUE(struct webhook_names, webhook_names_done)
/** webhook_options_names - the caller ends *out. */
void webhook_options_names(const struct webhook_options *o, const char *ns,
			   struct webhook_names *out);

#endif
