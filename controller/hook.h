/*
 * The admission webhook: an HTTPS server in the controller's loop, the certificate that it shows, and the
 * ValidatingWebhookConfiguration that leads the API server here.
 *
 * Every replica serves; the leader alone writes. /healthz and /readyz are answered beside it.
 */
#ifndef CONTROLLER_HOOK_H
#define CONTROLLER_HOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/hook_options.h"
#include "lib/base/err.h"

struct app;
struct hook;
struct kube_client;

/** hook_start - app->hook is there afterwards. ERR_IO: the address is not to be had. */
int hook_start(struct app *app, struct err *e) FN_MUST;
/** hook_fd - to be watched for reading; -1 = the webhook is off. */
int hook_fd(const struct hook *h);
/** hook_dispatch - answer who has asked. ERR_IO. */
int hook_dispatch(struct hook *h, struct err *e) FN_MUST;
/** hook_run - certificate and configuration: what is due. The monotonic time of what comes next, 0 = none. */
int64_t hook_run(struct hook *h);
/** hook_free - NULL is ignored. Before the client is freed. */
void hook_free(struct hook *h);

/** hook_uninstall - take away the configuration, then the Secret; what is not there is fine. */
int hook_uninstall(struct kube_client *client, const char *ns, struct err *e) FN_MUST;

#endif
