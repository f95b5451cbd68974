/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The admission webhook: an HTTPS server in the controller's loop, the certificate that it shows, and the
 * ValidatingWebhookConfiguration that leads the API server here.
 *
 * Every replica serves; the leader alone writes. /healthz and /readyz are answered beside it.
 */
#ifndef CONTROLLER_ADMISSION_WEBHOOK_H
#define CONTROLLER_ADMISSION_WEBHOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/rules/webhook_options.h"
#include "lib/base/err.h"

struct admission_view;
struct kube_client;
struct process;
struct webhook;

/** webhook_new - options, process and view are lent. ERR_IO: the address is not to be had. */
int webhook_new(const struct webhook_options *opt, struct process *p, struct admission_view *view,
		struct webhook **out, struct err *e) FN_MUST;
/** webhook_fd - to be watched for reading; -1 = the webhook is off. */
int webhook_fd(const struct webhook *h);
/** webhook_dispatch - answer who has asked. ERR_IO. */
int webhook_dispatch(struct webhook *h, struct err *e) FN_MUST;
/** webhook_run - certificate and configuration: what is due. The monotonic time of what comes next, 0 = none. */
int64_t webhook_run(struct webhook *h);
/** webhook_free - NULL is ignored. Before the client is freed. */
void webhook_free(struct webhook *h);
DEFINE_AUTO(struct webhook, webhook_free)

/** webhook_uninstall - take away the configuration, then the Secret; what is not there is fine. */
int webhook_uninstall(struct kube_client *client, const char *ns, struct err *e) FN_MUST;

#endif
