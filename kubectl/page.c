/* SPDX-License-Identifier: Apache-2.0 */
/* The page on loopback: which questions it may ask, and the loop that answers them. */
#include "kubectl/page.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "kubectl/cli.h"
#include "kubectl/ui/page.h"
#include "kubectl/ui/server.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/daemon/daemon.h"
#include "lib/httpd/httpd.h"
#include "lib/json/jwrite.h"
#include "lib/kube/client.h"

/* Everything that can be asked: nothing else reaches the API server. */
static const struct route {
	const char *method, *path;
	int (*answer)(struct cli *cli, const struct http_request *req, struct sb *out,
		      struct err *e);
} routes[] = {
	{"GET", "/api/subnets", page_read_subnets},     {"GET", "/api/subnet", page_read_subnet},
	{"GET", "/api/addresses", page_read_addresses}, {"GET", "/api/why", page_read_why},
	{"POST", "/api/subnets", page_create_subnet},   {"PATCH", "/api/subnet", page_edit_subnet},
	{"DELETE", "/api/subnet", page_delete_subnet},
};

void page_fail(struct httpd_response *res, int status, const char *message)
{
	struct jw w;

	sb_clear(&res->body);
	w = jw_init(&res->body);
	jw_obj(&w);
	jw_kv_i64(&w, "status", status);
	jw_kv_str(&w, "message", message);
	jw_end(&w);
	res->status = status;
	res->content_type = "application/json";
}

static bool is_word(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool letter = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z');

		if (!letter && !(s[i] >= '0' && s[i] <= '9') && !strchr("-._", s[i]))
			return false;
	}
	return n < PAGE_WORD_LEN;
}

bool page_word(const struct http_request *req, const char *key, char out[PAGE_WORD_LEN])
{
	size_t len = strlen(key), n;
	const char *p = req->query;

	out[0] = '\0';
	for (; *p; p += n + (p[n] == '&')) {
		n = strcspn(p, "&");
		if (n <= len || strncmp(p, key, len) != 0 || p[len] != '=')
			continue;
		if (!is_word(p + len + 1, n - len - 1))
			return false;
		memcpy(out, p + len + 1, n - len - 1);
		out[n - len - 1] = '\0';
		return true;
	}
	return true;
}

static const struct route *route_of(const struct http_request *req, bool *path_known)
{
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
		if (!str_eq(routes[i].path, req->path))
			continue;
		*path_known = true;
		if (str_eq(routes[i].method, req->method))
			return &routes[i];
	}
	return NULL;
}

/* Of the API server's own answers the number is handed on. */
static int status_of(const struct err *e)
{
	if (e->kind == ERR_CONFIG || e->kind == ERR_DECODE)
		return 400;
	return e->num >= 400 && e->num < 500 ? e->num : 502;
}

static void answer(void *ctx, const struct http_request *req, struct httpd_response *res)
{
	struct cli one = *(struct cli *)ctx;
	bool known = false;
	const struct route *r = route_of(req, &known);
	struct err e = {0};

	if (!r)
		return page_fail(res, known ? 405 : 404, "this cannot be asked here");
	/* What was read for another answer is old. */
	one.facts = (struct facts){0};
	one.out = (struct sb)SB_INIT;
	res->content_type = "application/json";
	if (r->answer(&one, req, &res->body, &e))
		page_fail(res, status_of(&e), e.msg);
	facts_done(&one.facts);
	sb_done(&one.out);
}

static int serve(struct cli *cli, struct ui_server *server, int signals, struct err *e)
{
	struct pollfd fds[2] = {{.fd = ui_server_fd(server), .events = POLLIN},
				{.fd = signals, .events = POLLIN}};
	AUTO(free) char *line = xasprintf("%s\n", ui_server_url(server));

	if (daemon_say(line))
		return -1;
	cli_note("Open this address in a browser of this machine. Whoever has it acts with your "
		 "rights on %s; it ends with Ctrl-C.",
		 cli->server);
	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return err_errno(e, ERR_IO, errno, "poll");
		if (fds[1].revents)
			return EXIT_OK;
		if (ui_server_dispatch(server, e))
			return -1;
	}
}

int command_ui(struct cli *cli, struct err *e)
{
	AUTO(ui_server_free) struct ui_server *server = NULL;
	struct ui_file files[UI_PAGE_FILES];
	const struct ui_options opt = {.port = cli->opt.port,
				       .files = files,
				       .n_files = ARRAY_SIZE(files),
				       .api = answer,
				       .ctx = cli};
	AUTO(fd) int signals = daemon_signals(e);

	if (signals < 0)
		return -1;
	ui_page(files);
	cli->quiet = true;
	kube_client_set_cancel_fd(cli->client, signals);
	if (ui_server_new(&opt, &server, e))
		return -1;
	return serve(cli, server, signals, e);
}
