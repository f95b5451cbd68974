/* SPDX-License-Identifier: Apache-2.0 */
/* The webhook's two objects in the API: JSON <-> structs. No I/O. */
#ifndef CONTROLLER_RULES_WEBHOOK_OBJECTS_H
#define CONTROLLER_RULES_WEBHOOK_OBJECTS_H

#include <stddef.h>
#include <stdint.h>

#include "controller/rules/webhook_cert.h"
#include "lib/base/err.h"

struct jval;

#define WEBHOOK_SECRET_NAME     "tandem-webhook-cert"
#define WEBHOOK_CONF_NAME       "tandem-controller"
#define WEBHOOK_CONF_GROUP      "admissionregistration.k8s.io/v1"
#define WEBHOOK_CONF_PLURAL     "validatingwebhookconfigurations"
#define WEBHOOK_SUBNETS_TIMEOUT 5 /* seconds */
#define WEBHOOK_OTHERS_TIMEOUT  2

struct webhook_secret_obj {
	char *uid;
	char *version;
	struct webhook_secret secret; /* texts are empty where they are absent or not base64 */
};

/* For a kube_store. */
int webhook_secret_decode(void *ctx, const struct jval *obj, void **out, struct err *e) FN_MUST;
void webhook_secret_free(void *obj);
/** webhook_secret_text - a Secret to create, or (over not NULL) a merge patch of that one. The caller frees it. */
char *webhook_secret_text(const char *ns, const struct webhook_secret *s,
			  const struct webhook_secret_obj *over);

struct webhook_conf_obj {
	char *uid;
	char *version;
	int64_t generation; /* grows with every change of webhooks */
	char *trusted;      /* PEM, "" = none or unreadable */
};

int webhook_conf_decode(void *ctx, const struct jval *obj, void **out, struct err *e) FN_MUST;
void webhook_conf_free(void *obj);

struct webhook_target {
	const char *ns;      /* the system namespace */
	const char *service; /* in it */
	const char *url;     /* instead, NULL = none */
};

/** webhook_conf_webhooks - the JSON array of webhooks. The caller frees it. */
char *webhook_conf_webhooks(const struct webhook_target *to, const char *trusted);
/** webhook_conf_text - with that list of webhooks a configuration to create, or a merge patch of that one. The caller frees it. */
char *webhook_conf_text(const char *list, const struct webhook_conf_obj *over);

#endif
