#include "meta/plugin/app.h"

#include "lib/cni/conf.h"
#include "lib/kube/client.h"
#include "lib/kube/config.h"

int app_client(struct app *app, struct kube_client **out, struct err *e)
{
	AUTO(kube_config_free) struct kube_config *cfg = NULL;

	if (!app->client) {
		if (!app->conf->kubeconfig || !*app->conf->kubeconfig)
			return err_set(
				e, ERR_CONFIG, 0,
				"conf key \"kubeconfig\" is missing, and this pod needs the API");
		if (kube_config_load(app->conf->kubeconfig, &cfg, e) < 0 ||
		    kube_client_new(cfg, NULL, &app->client, e) < 0)
			return -1;
		kube_client_set_cancel_fd(app->client, app->stop_fd);
	}
	*out = app->client;
	return 0;
}
