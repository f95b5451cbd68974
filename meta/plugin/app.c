/* SPDX-License-Identifier: Apache-2.0 */
#include "meta/plugin/app.h"

#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/cni/conf.h"
#include "lib/kube/client.h"
#include "lib/kube/config.h"

/* Less than the whole: of a delegateFile there may be a copy, and what was done is to be taken back. */
#define READ_MS 2000

struct io_limit app_read_limit(const struct app *app)
{
	int64_t end = clock_now_ms() + READ_MS;

	return (struct io_limit){end < app->deadline_ms ? end : app->deadline_ms, app->stop_fd};
}

bool app_has_kubeconfig(const struct app *app)
{
	return app->conf->kubeconfig_given || access(app->conf->kubeconfig, F_OK) == 0;
}

int app_client(struct app *app, struct kube_client **out, struct err *e)
{
	AUTO(kube_config_free) struct kube_config *cfg = NULL;
	struct io_limit limit;

	if (!app->client) {
		limit = app_read_limit(app);
		if (kube_config_load_by(app->conf->kubeconfig, &limit, &cfg, e) < 0 ||
		    kube_client_new(cfg, NULL, &app->client, e) < 0)
			return -1;
		kube_client_set_cancel_fd(app->client, app->stop_fd);
	}
	*out = app->client;
	return 0;
}
