/* Where the webhook listens and how the API server finds it. */
#ifndef CONTROLLER_HOOK_OPTIONS_H
#define CONTROLLER_HOOK_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"

#define HOOK_DEFAULT_BIND    ":9443"
#define HOOK_DEFAULT_SERVICE "tandem-controller-webhook"
#define HOOK_PATH            "/admit"

struct hook_options {
	const char *bind;    /* NULL = not said; "" and "0" = off */
	const char *service; /* in the system namespace; NULL = not said */
	const char *url;     /* instead of the service; NULL = none */
	int64_t cert_ms;     /* life of a certificate */
	int64_t authority_ms;
};

/** hook_options_defaults - nothing said; a year, and ten. */
struct hook_options hook_options_defaults(void);

/**
 * hook_options_check - fill in what was not said. ERR_CONFIG.
 * @in_cluster: the controller runs in a pod; elsewhere the webhook is off unless an option asks for it,
 *	since no Service would lead to it
 */
int hook_options_check(struct hook_options *o, bool in_cluster, struct err *e) FN_MUST;

/** hook_options_is_on - after hook_options_check(). */
bool hook_options_is_on(const struct hook_options *o);

#define HOOK_NAMES 3

/* What clients look for in the certificate. */
struct hook_names {
	char *name[HOOK_NAMES];
	size_t n;
};

void hook_names_done(struct hook_names *n);
DEFINE_AUTO_VALUE(struct hook_names, hook_names_done)
/** hook_options_names - the caller ends *out. */
void hook_options_names(const struct hook_options *o, const char *ns, struct hook_names *out);

#endif
