/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/kube/account.h"

#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/io.h"
#include "lib/base/mem.h"
#include "lib/kube/config.h"
#include "lib/kube/plugin.h"

/* No call waits longer for the file of a new one: the old one may do. */
#define TOKEN_READ_MS 1000
/* A projected token is renewed at 80 % of its hour; the old one holds for some minutes more. */
#define TOKEN_AGE_MS 60000
/* What a plugin gave is renewed this long before its end, for the way to the server. */
#define PLUGIN_EARLY_S 10

static void wipe(char *s)
{
	if (s)
		explicit_bzero(s, strlen(s));
	free(s);
}

/* "Impersonate-User: ..." and so on; kube_config_load_for() has seen that no text ends a line. */
static char **impersonate(const struct kube_config *cfg)
{
	char **lines;
	size_t n = 0;

	if (!cfg->as)
		return NULL;
	lines = xcalloc(cfg->n_as_groups + 3, sizeof(*lines));
	lines[n++] = xasprintf("Impersonate-User: %s", cfg->as);
	if (cfg->as_uid)
		lines[n++] = xasprintf("Impersonate-Uid: %s", cfg->as_uid);
	for (size_t i = 0; i < cfg->n_as_groups; i++)
		lines[n++] = xasprintf("Impersonate-Group: %s", cfg->as_groups[i]);
	return lines;
}

void kube_account_init(struct kube_account *a, const struct kube_config *cfg)
{
	*a = (struct kube_account){
		.token = xstrdup(cfg->token),
		.cert_pem = xstrdup(cfg->cert_pem),
		.key_pem = xstrdup(cfg->key_pem),
		.impersonate = impersonate(cfg),
		.token_file = xstrdup(cfg->token_file),
		.plugin = kube_plugin_copy(cfg->plugin),
		.read_ms = clock_now_ms(),
		.expires_s = cfg->expires_s,
		.cancel_fd = -1,
	};
}

void kube_account_done(struct kube_account *a)
{
	wipe(a->token);
	free(a->cert_pem);
	wipe(a->key_pem);
	for (size_t i = 0; a->impersonate && a->impersonate[i]; i++)
		free(a->impersonate[i]);
	free(a->impersonate);
	free(a->token_file);
	kube_plugin_free(a->plugin);
}

bool kube_account_can_renew(const struct kube_account *a)
{
	return a->token_file || a->plugin;
}

static void read_again(struct kube_account *a)
{
	const struct io_limit limit = {clock_now_ms() + TOKEN_READ_MS, a->cancel_fd};
	struct err e = {0};
	char *token = NULL;

	a->read_ms = clock_now_ms();
	if (kube_config_read_token(a->token_file, &limit, &token, &e))
		return;
	wipe(a->token);
	a->token = token;
}

static void ask_again(struct kube_account *a)
{
	struct kube_credential c = {0};
	struct err e = {0};

	if (kube_plugin_run(a->plugin, clock_now_ms() + KUBE_PLUGIN_MS, &c, &e)) {
		/* Not at each request. */
		a->expires_s = 0;
		return;
	}
	wipe(a->token);
	a->token = STEAL(c.token);
	if (c.cert_pem) {
		free(a->cert_pem);
		wipe(a->key_pem);
		a->cert_pem = STEAL(c.cert_pem);
		a->key_pem = STEAL(c.key_pem);
	}
	a->expires_s = c.expires_s;
}

void kube_account_renew(struct kube_account *a, bool refused)
{
	if (a->token_file && (refused || clock_now_ms() - a->read_ms >= TOKEN_AGE_MS))
		read_again(a);
	if (a->plugin &&
	    (refused || (a->expires_s && clock_wall_s() >= a->expires_s - PLUGIN_EARLY_S)))
		ask_again(a);
}
