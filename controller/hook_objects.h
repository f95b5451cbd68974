/* The webhook's two objects in the API: JSON <-> structs. No I/O. */
#ifndef CONTROLLER_HOOK_OBJECTS_H
#define CONTROLLER_HOOK_OBJECTS_H

#include <stddef.h>
#include <stdint.h>

#include "controller/hook_cert.h"
#include "lib/base/err.h"

struct jval;

#define HOOK_SECRET_NAME     "tandem-webhook-cert"
#define HOOK_CONF_NAME       "tandem-controller"
#define HOOK_CONF_GROUP      "admissionregistration.k8s.io/v1"
#define HOOK_CONF_PLURAL     "validatingwebhookconfigurations"
#define HOOK_SUBNETS_TIMEOUT 5 /* seconds */
#define HOOK_OTHERS_TIMEOUT  2

struct hook_secret_obj {
	char *uid;
	char *version;
	struct hook_secret secret; /* texts are empty where they are absent or not base64 */
};

/* For a kube_store. */
int hook_secret_decode(void *ctx, const struct jval *obj, void **out, struct err *e) FN_MUST;
void hook_secret_free(void *obj);
/** hook_secret_text - a Secret to create, or (over not NULL) a merge patch of that one. The caller frees it. */
char *hook_secret_text(const char *ns, const struct hook_secret *s,
		       const struct hook_secret_obj *over);

struct hook_conf_obj {
	char *uid;
	char *version;
	int64_t generation; /* grows with every change of webhooks */
	char *trusted;      /* PEM, "" = none or unreadable */
};

int hook_conf_decode(void *ctx, const struct jval *obj, void **out, struct err *e) FN_MUST;
void hook_conf_free(void *obj);

struct hook_target {
	const char *ns;      /* the system namespace */
	const char *service; /* in it */
	const char *url;     /* instead, NULL = none */
};

/** hook_conf_webhooks - the JSON array of webhooks. The caller frees it. */
char *hook_conf_webhooks(const struct hook_target *to, const char *trusted);
/** hook_conf_text - with that list of webhooks a configuration to create, or a merge patch of that one. The caller frees it. */
char *hook_conf_text(const char *list, const struct hook_conf_obj *over);

#endif
