/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/uninstall/uninstall.h"

#include <stddef.h>
#include <stdlib.h>

#include "api/meta.h"
#include "api/network.h"
#include "controller/rules/settings.h"
#include "controller/rules/webhook_objects.h"
#include "controller/uninstall/internal.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/daemon/options.h"
#include "lib/json/jread.h"
#include "lib/kube/client.h"
#include "lib/kube/config.h"
#include "lib/kube/path.h"
#include "lib/kube/wait.h"

#define TIMEOUT_MS    30000
#define TELL_EVERY_MS 60000
#define TELL                                                                                         \
	"{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"" SETTINGS_PUBLISHED \
	"\",\"labels\":{\"app.kubernetes.io/name\":\"tandem\"}},\"data\":{\"" SETTINGS_UNINSTALL     \
	"\":\"true\"}}"

static int connect_api(struct uninstall *u, struct err *e)
{
	AUTO(kube_config_free) struct kube_config *cfg = NULL;
	struct kube_client_options opt = {.user_agent = "tandem-controller/" TANDEM_VERSION
							" uninstall"};
	int rc = kube_config_of(u->kubeconfig, &cfg, e);

	return rc < 0 ? -1 : kube_client_new(cfg, &opt, &u->client, e);
}

/* ------------------------------------------------------------------------------- the steps */

/* Who has a card and is deleted now would find no plugin to take it away. */
static int wait_for_cards(struct uninstall *u, struct err *e)
{
	int64_t told_ms = 0;

	for (;;) {
		AUTO(names_done) struct names pods = {0};
		AUTO(free) char *text = NULL;

		if (uninstall_cards(u, &pods, e) < 0)
			return -1;
		text = names_text(&pods);
		if (u->force && pods.n)
			log_warn("pods keep their cards", "pods", text);
		if (u->force || !pods.n)
			return 0;
		if (!u->wait)
			return err_set(
				e, ERR_CONFIG, 0,
				"%zu pods have cards: %.300s; delete them, or take --wait or "
				"--force",
				pods.n, text);
		if (!told_ms || clock_now_ms() >= told_ms + TELL_EVERY_MS) {
			told_ms = clock_now_ms();
			log_info("waiting for pods with cards", "pods", text);
		}
		uninstall_pause(u);
	}
}

/* Controllers stop, and nodes take away what they have. *was: it has been written before. */
static int tell_all(const struct uninstall *u, bool *was, struct err *e)
{
	AUTO(free) char *collection = kube_path("v1", u->system_ns, "configmaps", NULL, NULL);
	AUTO(free) char *path = kube_path_child(collection, SETTINGS_PUBLISHED);
	int64_t until = clock_now_ms() + TIMEOUT_MS;
	struct kube_request req = kube_request_create(collection, TELL, until);
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct jval root, data = {0};
	const char *value = "";

	*was = false;
	if (kube_get(u->client, path, until, &doc, e) < 0) {
		if (e->kind != ERR_NOT_FOUND)
			return -1;
		err_clear(e);
		return uninstall_send(u, &req, e);
	}
	root = jdoc_root(doc);
	if (jget_obj(&root, "data", &data, e) < 0 ||
	    (jis_obj(&data) && jget_str(&data, SETTINGS_UNINSTALL, &value, e) < 0))
		return -1;
	*was = str_eq(value, "true");
	return *was ? 0
		    : uninstall_patch(u, path, "{\"data\":{\"" SETTINGS_UNINSTALL "\":\"true\"}}",
				      e);
}

static int remove_webhook(const struct uninstall *u, struct err *e)
{
	AUTO(free)
	char *conf =
		kube_path(WEBHOOK_CONF_GROUP, NULL, WEBHOOK_CONF_PLURAL, WEBHOOK_CONF_NAME, NULL);
	AUTO(free)
	char *secret = kube_path("v1", u->system_ns, "secrets", WEBHOOK_SECRET_NAME, NULL);

	if (uninstall_delete(u, conf, e) < 0)
		return -1;
	return uninstall_delete(u, secret, e);
}

/*
 * The controllers are told before the webhook goes, since they would write it again; and once more at the end, for one
 * whose write was on its way.
 */
static int take_away(struct uninstall *u, struct names *left, struct err *e)
{
	bool was_told;

	if (wait_for_cards(u, e) < 0 || tell_all(u, &was_told, e) < 0)
		return -1;
	log_info("the nodes are told to remove tandem", "configmap", SETTINGS_PUBLISHED);
	if (remove_webhook(u, e) < 0 || uninstall_nodes(u, was_told, e) < 0)
		return -1;
	log_info("no node has tandem any more");
	if (remove_webhook(u, e) < 0 || uninstall_objects(u, e) < 0 ||
	    uninstall_forget_nodes(u, e) < 0)
		return -1;
	return uninstall_kinds(u, left, e);
}

/* ------------------------------------------------------------------------------- the subcommand */

#define FIELD(name) offsetof(struct uninstall, name)

static const struct options_row rows[] = {
	{.name = "kubeconfig",
	 .value = "FILE",
	 .help = "default: the account of the pod that it runs in",
	 .take = options_take_text,
	 .field = FIELD(kubeconfig)},
	{.name = "system-namespace",
	 .value = "NAME",
	 .help = "namespace of tandem's own objects (kube-system)",
	 .take = options_take_text,
	 .field = FIELD(system_ns)},
	{.name = "wait",
	 .help = "go on when the last pod with a card is gone",
	 .take = options_take_flag,
	 .field = FIELD(wait)},
	{.name = "force",
	 .help = "leave pods with cards running",
	 .take = options_take_flag,
	 .field = FIELD(force)},
	{.name = "timeout",
	 .value = "D",
	 .help = "how long nodes are waited for (10m)",
	 .take = options_take_duration_ms,
	 .field = FIELD(timeout_ms)},
};

static const struct options_program program = {
	.name = "tandem-controller uninstall",
	.version = TANDEM_VERSION,
	.about = "tandem-controller uninstall takes tandem out of the cluster. See "
		 "tandem-controller(8).\n",
	.rows = rows,
	.n_rows = ARRAY_SIZE(rows),
};

static int run(struct uninstall *u)
{
	AUTO(names_done) struct names left = {0};
	AUTO(free) char *text = NULL;
	struct err e = {0};
	int rc;

	if (connect_api(u, &e) < 0) {
		log_error("cannot start", "error", e.msg);
		return 1;
	}
	rc = take_away(u, &left, &e);
	text = names_text(&left);
	if (rc < 0)
		log_error("not removed", "error", e.msg);
	else if (!rc)
		log_error(
			"the definitions stay, since there are objects of them; delete these, and run this again",
			"objects", text);
	else
		log_info(
			"tandem is removed; kubectl delete -f tandem.yaml takes away what was applied");
	return rc != 1;
}

static void done(struct uninstall *u)
{
	map_done(&u->with_card);
	names_done(&u->uids);
	kube_client_free(u->client);
}

int uninstall_run(int argc, char **argv)
{
	struct uninstall u = {.system_ns = API_DEFAULT_SYSTEM_NAMESPACE, .timeout_ms = 600000};
	int rc = options_parse(&program, argc, argv, &u);

	if (rc >= 0)
		return rc;
	if (!api_name_ok(u.system_ns) || (u.wait && u.force)) {
		log_error(u.wait && u.force ? "--wait and --force exclude each other"
					    : "--system-namespace is not a name");
		return 2;
	}
	rc = run(&u);
	done(&u);
	return rc;
}
