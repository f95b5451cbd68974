/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/kube/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/io.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/kube/client_int.h"
#include "lib/kube/config.h"

#ifndef TANDEM_VERSION
#define TANDEM_VERSION "dev"
#endif

#define MAX_RUNNING 8

/* ------------------------------------------------------------------ life */

/* The name to verify goes into the URL, and curl connects to the real place behind it. */
static void set_server(struct kube_client *c, const struct kube_config *cfg)
{
	const char *host = strstr(cfg->server, "://") + 3;
	size_t authority = strcspn(host, "/");
	const char *colon = memchr(host, ':', authority);

	if (!cfg->tls_server_name || !cfg->tls_server_name[0] ||
	    !str_starts(cfg->server, "https")) {
		c->server = xstrdup(cfg->server);
		return;
	}
	if (host[0] == '[') {
		const char *end = memchr(host, ']', authority);

		colon = end && end[1] == ':' ? end + 1 : NULL;
	}
	AUTO(free)
	char *port = colon ? xstrndup(colon, (size_t)(host + authority - colon)) : xstrdup(":443");

	c->server = xasprintf("https://%s%s%s", cfg->tls_server_name, port, host + authority);
	c->connect_to = xasprintf("%s%s:%.*s%s", cfg->tls_server_name, port, (int)authority, host,
				  colon ? "" : port);
	c->connect_list = curl_slist_append(NULL, c->connect_to);
}

static void copy_config(struct kube_client *c, const struct kube_config *cfg)
{
	set_server(c, cfg);
	c->ca_pem = xstrdup(cfg->ca_pem);
	c->proxy = xstrdup(cfg->proxy_url);
	c->no_proxy = xstrdup(cfg->no_proxy);
	c->insecure = cfg->insecure;
	kube_account_init(&c->account, cfg);
}

static bool needs_system_ca(const struct kube_client *c)
{
	return !c->ca_pem && !c->insecure && str_starts(c->server, "https://");
}

static void copy_options(struct kube_client *c, const struct kube_client_options *opt)
{
	c->user_agent = xstrdup(opt->user_agent ? opt->user_agent : "tandem/" TANDEM_VERSION);
	c->before_send = opt->before_send;
	c->before_send_ctx = opt->ctx;
	c->max_running = opt->max_connections ? opt->max_connections : MAX_RUNNING;
	c->qps = opt->qps > 0 ? opt->qps : 0;
	c->burst = opt->burst ? opt->burst : (unsigned int)c->qps + 1;
	c->tokens = c->burst;
	c->tokens_us = clock_now_us();
}

static int open_descriptors(struct kube_client *c, struct err *e)
{
	struct epoll_event ev = {.events = EPOLLIN};

	c->epfd = epoll_create1(EPOLL_CLOEXEC);
	c->timerfd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	ev.data.fd = c->timerfd;
	if (c->epfd < 0 || c->timerfd < 0 || epoll_ctl(c->epfd, EPOLL_CTL_ADD, c->timerfd, &ev))
		return err_errno(e, ERR_IO, errno, "epoll and timerfd");
	return 0;
}

int kube_client_new(const struct kube_config *cfg, const struct kube_client_options *opt,
		    struct kube_client **out, struct err *e)
{
	static const struct kube_client_options defaults;
	AUTO(kube_client_free) struct kube_client *c = xcalloc(1, sizeof(*c));

	c->epfd = c->timerfd = c->cancel_fd = -1;
	c->curl_wake_ms = -1;
	for (size_t i = 0; i < ARRAY_SIZE(c->queues); i++)
		TAILQ_INIT(&c->queues[i]);
	TAILQ_INIT(&c->finished);
	TAILQ_INIT(&c->zombies);
	copy_config(c, cfg);
	copy_options(c, opt ? opt : &defaults);
	/* For jitter only: not having it is no harm. */
	IGNORE(getrandom(&c->random, sizeof(c->random), GRND_NONBLOCK) < 0, "jitter");
	c->random |= 1;
	if (needs_system_ca(c) && kube_config_system_ca(&c->ca_pem, e))
		return -1;
	if (open_descriptors(c, e) || kube_http_init(c, e))
		return -1;
	*out = STEAL(c);
	return 0;
}

static void unqueue(struct kube_call *call)
{
	TAILQ_REMOVE(&call->client->queues[call->priority], call, link);
	call->client->queued--;
}

static void call_free(struct kube_call *call)
{
	free(call->method);
	free(call->path);
	free(call->url);
	free(call->content_type);
	free(call->accept);
	free(call->body);
	sb_done(&call->in);
	kube_response_done(&call->res);
	free(call);
}

static struct kube_call *first_to_wake(const struct kube_client *c)
{
	/* Whatever was freed has left the heap before, which the analyzer does not see. */
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
	return CONTAINER_OF(c->heap.at[0], struct kube_call, wake);
}

/* It is in no list and in no heap any more. */
static void end_call(struct kube_call *call)
{
	kube_http_stop(call);
	call_free(call);
}

/* The calls of a list that are in nothing else: finished ones, zombies. */
static void drop_list(struct kube_calls *list)
{
	struct kube_call *call;

	while ((call = TAILQ_FIRST(list))) {
		TAILQ_REMOVE(list, call, link);
		end_call(call);
	}
}

/* One that waits or runs. */
static void drop_waking(struct kube_call *call)
{
	struct kube_client *c = call->client;

	kube_heap_remove(&c->heap, &call->wake);
	if (call->state == CALL_QUEUED)
		unqueue(call);
	else if (call->state == CALL_RUNNING)
		c->running -= !call->data;
	end_call(call);
}

static void drop_call(struct kube_call *call)
{
	struct kube_client *c = call->client;

	if (call->state != CALL_FINISHED && call->state != CALL_ZOMBIE) {
		drop_waking(call);
		return;
	}
	if (call->state == CALL_FINISHED)
		TAILQ_REMOVE(&c->finished, call, link);
	else
		TAILQ_REMOVE(&c->zombies, call, link);
	end_call(call);
}

void kube_client_free(struct kube_client *c)
{
	if (!c)
		return;
	while (c->heap.n)
		drop_waking(first_to_wake(c));
	drop_list(&c->finished);
	drop_list(&c->zombies);
	kube_http_done(c);
	if (c->timerfd >= 0)
		close(c->timerfd);
	if (c->epfd >= 0)
		close(c->epfd);
	kube_heap_done(&c->heap);
	free(c->server);
	free(c->connect_to);
	free(c->user_agent);
	free(c->ca_pem);
	free(c->proxy);
	free(c->no_proxy);
	kube_account_done(&c->account);
	free(c);
}

void kube_client_set_cancel_fd(struct kube_client *c, int fd)
{
	c->cancel_fd = c->account.cancel_fd = fd;
}

uint64_t kube_client_random(struct kube_client *c)
{
	/* xorshift64 (Marsaglia): spreads clients that failed together; secrecy is no matter. */
	c->random ^= c->random << 13;
	c->random ^= c->random >> 7;
	c->random ^= c->random << 17;
	return c->random;
}

int64_t kube_client_jitter(struct kube_client *c, int64_t ms)
{
	return kube_jitter(kube_client_random(c), ms);
}

/* ------------------------------------------------------------------ the queue */

/* The timer makes our descriptor readable when something is due without a socket's help. */
static void arm_timer(struct kube_client *c, int64_t at_ms)
{
	struct itimerspec when = {0};

	if (at_ms >= 0) {
		when.it_value.tv_sec = at_ms / 1000;
		/* Never all zero, which would disarm it. */
		when.it_value.tv_nsec = at_ms % 1000 * 1000000 + 1;
	}
	timerfd_settime(c->timerfd, TFD_TIMER_ABSTIME, &when, NULL);
}

static void enqueue(struct kube_call *call, bool first)
{
	struct kube_client *c = call->client;

	call->state = CALL_QUEUED;
	call->wake.at_ms = call->deadline_ms;
	kube_heap_update(&c->heap, &call->wake);
	/* A watch must not wait behind a thousand writes: it is what the writes are based on. */
	if (first || call->data)
		TAILQ_INSERT_HEAD(&c->queues[call->priority], call, link);
	else
		TAILQ_INSERT_TAIL(&c->queues[call->priority], call, link);
	c->queued++;
}

static void pause_until(struct kube_call *call, int64_t until_ms)
{
	call->state = CALL_PAUSED;
	call->wake.at_ms = until_ms;
	kube_heap_update(&call->client->heap, &call->wake);
}

void kube_call_delay(struct kube_call *call, int64_t at_ms)
{
	unqueue(call);
	pause_until(call, at_ms);
}

static void finish(struct kube_call *call)
{
	struct kube_client *c = call->client;

	if (call->state == CALL_QUEUED)
		unqueue(call);
	kube_heap_remove(&c->heap, &call->wake);
	call->state = CALL_FINISHED;
	TAILQ_INSERT_TAIL(&c->finished, call, link);
}

static void fail(struct kube_call *call)
{
	kube_call_fail(call);
	finish(call);
}

static void refill_tokens(struct kube_client *c)
{
	int64_t now_us = clock_now_us();

	c->tokens += (double)(now_us - c->tokens_us) * c->qps / 1e6;
	if (c->tokens > c->burst)
		c->tokens = c->burst;
	c->tokens_us = now_us;
}

/* What is in no hurry leaves most connections to what may come next. */
static bool has_room(const struct kube_client *c, const struct kube_call *call)
{
	unsigned int max = call->priority == KUBE_IDLE ? (c->max_running + 7) / 8 : c->max_running;

	return call->data || c->running < max;
}

static bool may_start(const struct kube_client *c, const struct kube_call *call)
{
	return has_room(c, call) && (c->qps == 0 || c->tokens >= 1);
}

static struct kube_call *first_queued(const struct kube_client *c)
{
	static const enum kube_priority order[] = {KUBE_URGENT, KUBE_NORMAL, KUBE_IDLE};

	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		if (!TAILQ_EMPTY(&c->queues[order[i]]))
			return TAILQ_FIRST(&c->queues[order[i]]);
	}
	return NULL;
}

/* A stream that runs is looked at again when it will have been silent for too long. */
static void listen_on(struct kube_call *call)
{
	int64_t silent_ms = call->heard_ms + call->max_silence_ms;

	call->wake.at_ms = silent_ms < call->deadline_ms ? silent_ms : call->deadline_ms;
	kube_heap_update(&call->client->heap, &call->wake);
}

static void started(struct kube_call *call)
{
	call->client->running += !call->data;
	call->heard_ms = clock_now_ms();
	if (call->max_silence_ms)
		listen_on(call);
}

static void start_queued(struct kube_client *c)
{
	struct kube_call *call;

	refill_tokens(c);
	while ((call = first_queued(c)) && may_start(c, call)) {
		if (c->before_send)
			c->before_send(c->before_send_ctx);
		unqueue(call);
		c->tokens -= c->qps > 0;
		c->stats.requests++;
		call->attempts++;
		call->state = CALL_RUNNING;
		kube_account_renew(&c->account, false);
		if (kube_http_start(call, &call->err))
			fail(call);
		else
			started(call);
	}
}

/* An attempt is over: to where the call goes from here. */
static void land(struct kube_call *call, const struct kube_http_end *end)
{
	struct kube_client *c = call->client;
	int64_t now_ms = clock_now_ms(), pause_ms = 0;

	c->running -= !call->data;
	c->stats.failures += end->result != KUBE_HTTP_ANSWERED || end->status >= 500;
	switch (kube_call_judge(call, end, now_ms, kube_client_random(c), &pause_ms)) {
	case KUBE_CALL_DONE:
	case KUBE_CALL_FAIL:
		kube_http_stop(call);
		finish(call);
		break;
	case KUBE_CALL_PAUSE:
		kube_http_stop(call);
		c->stats.retries++;
		pause_until(call, now_ms + pause_ms);
		break;
	case KUBE_CALL_RENEW_TOKEN:
		kube_http_stop(call);
		kube_account_renew(&c->account, true);
		c->stats.retries++;
		enqueue(call, true);
		break;
	}
}

static void run_http(struct kube_client *c)
{
	struct kube_http_end end;
	struct kube_call *call;

	kube_http_poll(c);
	while (kube_http_next(c, &call, &end))
		land(call, &end);
	drop_list(&c->zombies);
}

static bool is_heard(const struct kube_call *call, int64_t now_ms)
{
	return call->max_silence_ms && call->state == CALL_RUNNING && now_ms < call->deadline_ms &&
	       now_ms < call->heard_ms + call->max_silence_ms;
}

static void expire(struct kube_call *call, int64_t now_ms)
{
	struct kube_client *c = call->client;

	kube_call_judge_expired(call, now_ms);
	if (call->state == CALL_RUNNING) {
		c->running -= !call->data;
		kube_http_stop(call);
		/* Silence may be just that. */
		c->stats.failures += now_ms >= call->deadline_ms;
	}
	finish(call);
}

static void wake_due(struct kube_client *c)
{
	int64_t now = clock_now_ms();

	while (c->heap.n && c->heap.at[0]->at_ms <= now) {
		struct kube_call *call = first_to_wake(c);

		if (call->state == CALL_PAUSED && now < call->deadline_ms)
			enqueue(call, true);
		else if (is_heard(call, now))
			listen_on(call);
		else
			expire(call, now);
	}
}

static void run_callbacks(struct kube_client *c)
{
	struct kube_call *call;

	while ((call = TAILQ_FIRST(&c->finished))) {
		TAILQ_REMOVE(&c->finished, call, link);
		call->done(call->ctx, &call->res, call->failed ? &call->err : NULL);
		call_free(call);
	}
}

static int64_t next_wake(struct kube_client *c)
{
	const struct kube_call *first = first_queued(c);
	int64_t at = c->curl_wake_ms;

	if (c->heap.n && (at < 0 || c->heap.at[0]->at_ms < at))
		at = c->heap.at[0]->at_ms;
	if (first && has_room(c, first)) {
		int64_t now = clock_now_ms();
		int64_t token_at = c->qps > 0 && c->tokens < 1
					   ? now + (int64_t)((1 - c->tokens) * 1000 / c->qps) + 1
					   : now;

		if (at < 0 || token_at < at)
			at = token_at;
	}
	return TAILQ_EMPTY(&c->finished) ? at : 0;
}

int kube_client_dispatch(struct kube_client *c, struct err *e)
{
	(void)e;
	run_http(c);
	wake_due(c);
	start_queued(c);
	/* What was started wants its first step now: a round through epoll less. */
	run_http(c);
	run_callbacks(c);
	start_queued(c);
	arm_timer(c, next_wake(c));
	return 0;
}

/* ------------------------------------------------------------------ what others call */

static bool takes_body(const char *method)
{
	return !str_eq(method, "GET") && !str_eq(method, "DELETE");
}

static struct kube_call *new_call(struct kube_client *c, const struct kube_request *req)
{
	struct kube_call *call = xcalloc(1, sizeof(*call));
	bool has_query = req->query && req->query[0];

	call->client = c;
	call->method = xstrdup(req->method);
	call->path = xstrdup(req->path);
	call->url = xasprintf("%s%s%s%s", c->server, req->path, has_query ? "?" : "",
			      has_query ? req->query : "");
	call->content_type = xstrdup(req->content_type ? req->content_type : "application/json");
	call->accept = xstrdup(req->accept ? req->accept : "application/json");
	if (req->body || takes_body(req->method)) {
		call->body = xmemdup(req->body ? req->body : "", req->body ? req->body_len : 0);
		call->body_len = req->body ? req->body_len : 0;
	}
	call->deadline_ms = req->deadline_ms ? req->deadline_ms : clock_now_ms() + KUBE_TIMEOUT_MS;
	call->max_body = req->max_body ? req->max_body : KUBE_BODY_MAX;
	call->priority = req->priority;
	call->is_read = str_eq(req->method, "GET");
	call->may_renew_token = kube_account_can_renew(&c->account);
	return call;
}

struct kube_call *kube_submit_stream(struct kube_client *c, const struct kube_request *req,
				     kube_data_fn *data, kube_done_fn *done, void *ctx)
{
	struct kube_call *call = new_call(c, req);

	call->data = data;
	if (data) {
		call->priority = KUBE_URGENT;
		call->max_silence_ms = req->max_silence_ms;
	}
	call->done = done;
	call->ctx = ctx;
	call->wake.at_ms = call->deadline_ms;
	kube_heap_add(&c->heap, &call->wake);
	enqueue(call, false);
	arm_timer(c, 0);
	return call;
}

struct kube_call *kube_submit(struct kube_client *c, const struct kube_request *req,
			      kube_done_fn *done, void *ctx)
{
	return kube_submit_stream(c, req, NULL, done, ctx);
}

void kube_cancel(struct kube_call *call)
{
	struct kube_client *c;

	if (!call)
		return;
	c = call->client;
	if (call->state != CALL_RUNNING || !c->in_curl) {
		drop_call(call);
		return;
	}
	/* curl stands in the middle of a transfer: it is stopped as soon as curl returns. */
	kube_heap_remove(&c->heap, &call->wake);
	c->running -= !call->data;
	call->state = CALL_ZOMBIE;
	TAILQ_INSERT_TAIL(&c->zombies, call, link);
}

int kube_client_fd(const struct kube_client *c)
{
	return c->epfd;
}

void kube_client_stats(const struct kube_client *c, struct kube_client_stats *out)
{
	*out = c->stats;
	out->queued = c->queued;
	out->running = c->running;
}
