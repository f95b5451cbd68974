/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/kube/client_int.h"

#define CONNECT_TIMEOUT_MS 10000
#define ERROR_BODY_MAX     ((size_t)1 << 20)

/*
 * OpenSSL writes to sockets without MSG_NOSIGNAL, and curl leaves signals alone when told so. A
 * SIGPIPE of our making is swallowed here, so that programs need not ignore it, nor hand that on to
 * what they exec.
 */
struct no_pipe {
	sigset_t old, pipe;
	bool was_pending;
};

static void no_pipe_begin(struct no_pipe *n)
{
	sigset_t pending;

	sigemptyset(&n->pipe);
	sigaddset(&n->pipe, SIGPIPE);
	sigpending(&pending);
	n->was_pending = sigismember(&pending, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &n->pipe, &n->old);
}

static void no_pipe_end(const struct no_pipe *n)
{
	static const struct timespec now;

	if (!n->was_pending)
		sigtimedwait(&n->pipe, NULL, &now);
	pthread_sigmask(SIG_SETMASK, &n->old, NULL);
}

/* ------------------------------------------------------------------ curl's sockets and timer */

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *known)
{
	struct kube_client *c = ctx;
	struct epoll_event ev = {.data.fd = fd};

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		/* The descriptor may be closed already. */
		epoll_ctl(c->epfd, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	if (what != CURL_POLL_OUT)
		ev.events |= EPOLLIN;
	if (what != CURL_POLL_IN)
		ev.events |= EPOLLOUT;
	if (epoll_ctl(c->epfd, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &ev)) {
		/* A number that curl closed and the kernel gave out again, or the reverse. */
		if (epoll_ctl(c->epfd, known ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &ev))
			return -1;
	}
	if (!known)
		curl_multi_assign(c->multi, fd, c);
	return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *ctx)
{
	struct kube_client *c = ctx;

	(void)multi;
	c->curl_wake_ms = timeout_ms < 0 ? -1 : clock_now_ms() + timeout_ms;
	return 0;
}

/* A peer that vanished without a word is noticed within half a minute, by an idle watch too. */
static int on_new_socket(void *ctx, curl_socket_t fd, curlsocktype purpose)
{
	struct kube_client *c = ctx;
	int on = 1, idle_s = 15, interval_s = 5, count = 3, unacked_ms = 20000;

	if (purpose != CURLSOCKTYPE_IPCXN)
		return CURL_SOCKOPT_OK;
	c->stats.connections++;
	/* Where one of these is missing the connection works without it. */
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof(interval_s));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacked_ms, sizeof(unacked_ms));
	return CURL_SOCKOPT_OK;
}

/* ------------------------------------------------------------------ one attempt */

/*
 * Runs when a connection stands and the request is about to be sent. curl silently sends a request
 * again on a new connection when a kept one turns out dead; the server may have acted on it then, so
 * for a write the second time is refused and the caller told that the outcome is unknown.
 */
static int on_send(void *ctx, char *remote_ip, char *local_ip, int remote_port, int local_port)
{
	struct kube_call *call = ctx;

	(void)remote_ip;
	(void)local_ip;
	(void)remote_port;
	(void)local_port;
	if (call->sent && !call->is_read)
		return CURL_PREREQFUNC_ABORT;
	call->sent = true;
	return CURL_PREREQFUNC_OK;
}

static size_t on_body(char *data, size_t one, size_t len, void *ctx)
{
	struct kube_call *call = ctx;
	size_t max = call->max_body;
	long status = 0;

	(void)one;
	/* Cancelled by a callback a moment ago. */
	if (call->state != CALL_RUNNING)
		return 0;
	call->heard_ms = clock_now_ms();
	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status >= 300) {
		max = ERROR_BODY_MAX;
	} else if (call->data) {
		if (call->data(call->ctx, data, len, &call->err)) {
			call->data_failed = true;
			return 0;
		}
		return len;
	}
	if (len > max - call->in.len) {
		call->over_cap = true;
		return 0;
	}
	sb_add(&call->in, data, len);
	return len;
}

/* The line that ends a stream's headers: accepted, though nothing may come for long. */
static size_t on_header(char *line, size_t one, size_t len, void *ctx)
{
	struct kube_call *call = ctx;
	long status = 0;

	(void)one;
	if (len > 2 || call->state != CALL_RUNNING)
		return len;
	call->heard_ms = clock_now_ms();
	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status >= 200 && status < 300 && call->data(call->ctx, line, 0, &call->err)) {
		call->data_failed = true;
		return 0;
	}
	return len;
}

static struct curl_slist *add_header(struct curl_slist *list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(list, line);

	/* curl's own allocations fail the way ours do. */
	if (!longer)
		abort();
	return longer;
}

static void set_headers(struct kube_call *call)
{
	const struct kube_account *account = &call->client->account;
	AUTO(free) char *accept = xasprintf("Accept: %s", call->accept);
	struct curl_slist *list = add_header(NULL, accept);

	if (account->token) {
		AUTO(free) char *line = xasprintf("Authorization: Bearer %s", account->token);

		list = add_header(list, line);
		explicit_bzero(line, strlen(line));
	}
	for (char *const *line = account->impersonate; line && *line; line++)
		list = add_header(list, *line);
	if (call->body) {
		AUTO(free) char *line = xasprintf("Content-Type: %s", call->content_type);

		list = add_header(list, line);
		/* Without this curl waits a second for "100 Continue" before a large body. */
		list = add_header(list, "Expect:");
	}
	call->headers = list;
	curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, list);
}

static void set_blob(CURL *easy, CURLoption option, char *text, unsigned int flags)
{
	struct curl_blob blob = {.data = text, .len = strlen(text), .flags = flags};

	curl_easy_setopt(easy, option, &blob);
}

static void set_tls(struct kube_client *c, CURL *easy)
{
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	/* These and no others, and nothing that curl would read by itself. */
	curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	if (c->ca_pem)
		set_blob(easy, CURLOPT_CAINFO_BLOB, c->ca_pem, CURL_BLOB_NOCOPY);
	if (c->insecure) {
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	if (c->account.cert_pem) {
		/* A plugin's may be replaced while this request runs. */
		unsigned int flags = c->account.plugin ? CURL_BLOB_COPY : CURL_BLOB_NOCOPY;

		curl_easy_setopt(easy, CURLOPT_SSLCERTTYPE, "PEM");
		curl_easy_setopt(easy, CURLOPT_SSLKEYTYPE, "PEM");
		set_blob(easy, CURLOPT_SSLCERT_BLOB, c->account.cert_pem, flags);
		set_blob(easy, CURLOPT_SSLKEY_BLOB, c->account.key_pem, flags);
	}
}

static void set_connection(struct kube_client *c, CURL *easy)
{
	curl_easy_setopt(easy, CURLOPT_SHARE, c->share);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/* Without one, none that curl would find by itself. */
	curl_easy_setopt(easy, CURLOPT_NOPROXY, c->proxy ? c->no_proxy : "*");
	if (c->proxy)
		curl_easy_setopt(easy, CURLOPT_PROXY, c->proxy);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
	curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_new_socket);
	curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, c);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, c->user_agent);
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	if (c->connect_list)
		curl_easy_setopt(easy, CURLOPT_CONNECT_TO, c->connect_list);
	/* The build for nodes has no zlib, and asking for what it cannot read would be an error. */
	if (c->has_gzip)
		curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
}

static void set_request(struct kube_call *call)
{
	CURL *easy = call->easy;

	curl_easy_setopt(easy, CURLOPT_URL, call->url);
	if (call->body) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body_len);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->body);
	}
	if (!str_eq(call->method, call->body ? "POST" : "GET"))
		curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call->method);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->curl_text);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
	if (call->data) {
		curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
		curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
	}
	curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_send);
	curl_easy_setopt(easy, CURLOPT_PREREQDATA, call);
}

int kube_http_start(struct kube_call *call, struct err *e)
{
	struct kube_client *c = call->client;
	CURLMcode rc;

	call->easy = c->n_idle ? c->idle[--c->n_idle] : curl_easy_init();
	if (!call->easy)
		abort();
	call->curl_text[0] = '\0';
	call->sent = call->over_cap = call->data_failed = false;
	sb_clear(&call->in);
	set_connection(c, call->easy);
	set_tls(c, call->easy);
	set_request(call);
	set_headers(call);
	rc = curl_multi_add_handle(c->multi, call->easy);
	if (!rc)
		return 0;
	kube_http_stop(call);
	return err_set(e, ERR_INTERNAL, rc, "curl: %s", curl_multi_strerror(rc));
}

void kube_http_stop(struct kube_call *call)
{
	struct kube_client *c = call->client;
	struct no_pipe guard;

	if (!call->easy)
		return;
	no_pipe_begin(&guard);
	curl_multi_remove_handle(c->multi, call->easy);
	no_pipe_end(&guard);
	curl_easy_reset(call->easy);
	if (c->n_idle < ARRAY_SIZE(c->idle))
		c->idle[c->n_idle++] = call->easy;
	else
		curl_easy_cleanup(call->easy);
	call->easy = NULL;
	curl_slist_free_all(call->headers);
	call->headers = NULL;
}

/* ------------------------------------------------------------------ the engine */

static void socket_action(struct kube_client *c, curl_socket_t fd, int mask)
{
	int running;

	c->in_curl = true;
	curl_multi_socket_action(c->multi, fd, mask, &running);
	c->in_curl = false;
}

static void read_timer(struct kube_client *c)
{
	uint64_t ticks;

	IGNORE(read(c->timerfd, &ticks, sizeof(ticks)) < 0, "not yet due");
}

static void take_events(struct kube_client *c)
{
	struct epoll_event ev[32];
	int n = epoll_wait(c->epfd, ev, ARRAY_SIZE(ev), 0);

	for (int i = 0; i < n; i++) {
		int mask = 0;

		if (ev[i].data.fd == c->timerfd) {
			read_timer(c);
			continue;
		}
		if (ev[i].events & EPOLLIN)
			mask |= CURL_CSELECT_IN;
		if (ev[i].events & EPOLLOUT)
			mask |= CURL_CSELECT_OUT;
		if (ev[i].events & (EPOLLERR | EPOLLHUP))
			mask |= CURL_CSELECT_ERR;
		socket_action(c, ev[i].data.fd, mask);
	}
}

void kube_http_poll(struct kube_client *c)
{
	struct no_pipe guard;

	no_pipe_begin(&guard);
	take_events(c);
	if (c->curl_wake_ms >= 0 && c->curl_wake_ms <= clock_now_ms()) {
		c->curl_wake_ms = -1;
		socket_action(c, CURL_SOCKET_TIMEOUT, 0);
	}
	no_pipe_end(&guard);
}

/* ------------------------------------------------------------------ ends of attempts */

static enum kube_http_result result_of(const struct kube_call *call, CURLcode rc)
{
	if (rc == CURLE_OK)
		return KUBE_HTTP_ANSWERED;
	if (call->over_cap || call->data_failed)
		return KUBE_HTTP_REFUSED;
	switch (rc) {
	case CURLE_COULDNT_CONNECT:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
		return KUBE_HTTP_CUT;
	default:
		return KUBE_HTTP_REFUSED;
	}
}

static void describe(const struct kube_call *call, CURLcode rc, struct kube_http_end *out)
{
	const char *text = call->curl_text[0] ? call->curl_text : curl_easy_strerror(rc);
	curl_off_t after_s = 0;
	long status = 0;

	*out = (struct kube_http_end){.result = result_of(call, rc)};
	if (out->result != KUBE_HTTP_ANSWERED) {
		/* on_send() has refused to send a write twice. */
		if (rc == CURLE_ABORTED_BY_CALLBACK)
			text = "the connection was closed before the answer came";
		snprintf(out->text, sizeof(out->text), "%s", text);
		return;
	}
	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	out->status = (int)status;
	if (!curl_easy_getinfo(call->easy, CURLINFO_RETRY_AFTER, &after_s) && after_s > 0)
		out->retry_after_s = after_s;
}

bool kube_http_next(struct kube_client *c, struct kube_call **call, struct kube_http_end *out)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(c->multi, &left))) {
		struct kube_call *of = NULL;
		CURLcode rc = msg->data.result;

		if (msg->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&of);
		/* Cancelled a moment ago. */
		if (of->state != CALL_RUNNING)
			continue;
		describe(of, rc, out);
		*call = of;
		return true;
	}
	return false;
}

int kube_http_init(struct kube_client *c, struct err *e)
{
	/*
	 * A host's openssl.cnf may name modules that are not there, and costs time to read. To free all tables
	 * at exit() is 7 % of what a call of the plugin that needs the API computes; the old names of ciphers, by
	 * which nothing but encrypted keys looks for one, are 13 %.
	 */
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT |
				    OPENSSL_INIT_NO_ADD_ALL_CIPHERS,
			    NULL);
	OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL);
	if (curl_global_init(CURL_GLOBAL_SSL))
		return err_set(e, ERR_INTERNAL, 0, "curl cannot be initialised");
	c->multi = curl_multi_init();
	c->share = curl_share_init();
	if (!c->multi || !c->share)
		abort();
	curl_share_setopt(c->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
	/* Room for the watches beside the counted ones, so that none is closed for want of it. */
	curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, (long)c->max_running + 32);
	if (curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_LIBZ)
		c->has_gzip = true;
	return 0;
}

void kube_http_done(struct kube_client *c)
{
	struct no_pipe guard;

	if (!c->multi)
		return;
	no_pipe_begin(&guard);
	while (c->n_idle)
		curl_easy_cleanup(c->idle[--c->n_idle]);
	curl_multi_cleanup(c->multi);
	curl_share_cleanup(c->share);
	curl_slist_free_all(c->connect_list);
	curl_global_cleanup();
	no_pipe_end(&guard);
}
