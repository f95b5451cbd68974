/* SPDX-License-Identifier: Apache-2.0 */
/* Requests and lists, as each step needs them. */
#include <stdlib.h>
#include <string.h>

#include "controller/uninstall/internal.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/kube/client.h"
#include "lib/kube/wait.h"

#define TIMEOUT_MS 30000
#define PAUSE_MS   1000
#define SHOWN      10

void names_add(struct names *l, const char *name)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 16;
		l->v = xreallocarray(l->v, l->cap, sizeof(*l->v));
	}
	l->v[l->n++] = xstrdup(name);
}

void names_done(struct names *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
	*l = (struct names){0};
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char *names_text(struct names *l)
{
	AUTO(sb_done) struct sb text = SB_INIT;

	if (l->n)
		qsort(l->v, l->n, sizeof(*l->v), by_text);
	for (size_t i = 0; i < l->n && i < SHOWN; i++)
		sb_printf(&text, "%s%s", i ? ", " : "", l->v[i]);
	if (l->n > SHOWN)
		sb_printf(&text, " and %zu more", l->n - SHOWN);
	return sb_take(&text);
}

int uninstall_each(const struct uninstall *u, const char *path, const char *query,
		   uninstall_item_fn *item, void *ctx, struct err *e)
{
	struct kube_list list = {.path = path,
				 .query = query,
				 .deadline_ms = clock_now_ms() + TIMEOUT_MS,
				 .item = item,
				 .ctx = ctx};

	if (kube_list_all(u->client, &list, e) == 0 || e->kind == ERR_NOT_FOUND) {
		err_clear(e);
		return 0;
	}
	return -1;
}

int uninstall_send(const struct uninstall *u, const struct kube_request *req, struct err *e)
{
	AUTO(kube_response_done) struct kube_response res = KUBE_RESPONSE_INIT;

	if (kube_do(u->client, req, &res, e) == 0 || e->kind == ERR_NOT_FOUND) {
		err_clear(e);
		return 0;
	}
	return -1;
}

int uninstall_patch(const struct uninstall *u, const char *path, const char *body, struct err *e)
{
	struct kube_request req = kube_request_merge_patch(path, body, clock_now_ms() + TIMEOUT_MS);

	return uninstall_send(u, &req, e);
}

int uninstall_delete(const struct uninstall *u, const char *path, struct err *e)
{
	struct kube_request req = kube_request_delete(path, NULL, clock_now_ms() + TIMEOUT_MS);

	return uninstall_send(u, &req, e);
}

void uninstall_pause(const struct uninstall *u)
{
	struct err e = {0};
	bool never = false;

	IGNORE(kube_client_wait(u->client, &never, clock_now_ms() + PAUSE_MS, &e),
	       "it is the time that is waited for");
}
