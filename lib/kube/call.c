#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/kube/client_int.h"
#include "lib/kube/json.h"

#define BACKOFF_FIRST_MS  50
#define BACKOFF_MAX_MS    2000
#define RETRY_AFTER_MAX_S 600

void kube_call_free(struct kube_call *call)
{
	free(call->method);
	free(call->path);
	free(call->url);
	free(call->content_type);
	free(call->body);
	sb_done(&call->in);
	kube_response_done(&call->res);
	free(call);
}

void kube_call_fail(struct kube_call *call)
{
	call->failed = true;
	/* The path names the object, the query tells people nothing. data()'s words are its own. */
	if (!call->data_failed)
		err_wrap(&call->err, "%s %s", call->method, call->path);
	kube_call_finish(call);
}

/* ------------------------------------------------------------------ repeats */

static int64_t pause_ms(struct kube_call *call)
{
	unsigned int doublings = call->attempts < 8 ? call->attempts - 1 : 7;
	int64_t ms = (int64_t)BACKOFF_FIRST_MS << doublings;

	if (ms > BACKOFF_MAX_MS)
		ms = BACKOFF_MAX_MS;
	return kube_client_jitter(call->client, ms);
}

/*
 * Pause before another attempt, or give up when the deadline comes first. What the server asked for
 * is its least, not ours to shorten.
 */
static void retry_or_fail(struct kube_call *call)
{
	int64_t pause = call->err.retry_after_ms ? call->err.retry_after_ms : pause_ms(call);
	int64_t until = clock_now_ms() + pause;

	if (until >= call->deadline_ms) {
		kube_call_fail(call);
		return;
	}
	call->client->stats.retries++;
	kube_call_pause(call, until);
}

static bool is_passing(CURLcode rc)
{
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
		return true;
	default:
		return false;
	}
}

/* ------------------------------------------------------------------ answers */

static void decode_failure(struct kube_call *call)
{
	const char *text = sb_get(&call->in);
	struct err not_json = {0};
	struct jval root;
	AUTO(jdoc_free) struct jdoc *doc = NULL;

	if (call->in.len &&
	    !kube_json_parse("answer", call->in.data, call->in.len, &doc, &not_json)) {
		root = jdoc_root(doc);
		kube_status_err(&root, call->res.status, call->res.reason, &call->err);
		return;
	}
	/* Proxies and the API server's own outer layers answer in plain text. */
	kube_status_err(NULL, call->res.status, call->res.reason, &call->err);
	if (call->in.len)
		err_set(&call->err, call->err.kind, call->err.num, "HTTP status %d: %.*s",
			call->res.status, (int)strcspn(text, "\r\n"), text);
}

static void take_failure(struct kube_call *call)
{
	curl_off_t after_s = 0;

	err_clear(&call->err);
	decode_failure(call);
	if (!curl_easy_getinfo(call->easy, CURLINFO_RETRY_AFTER, &after_s) && after_s > 0) {
		if (after_s > RETRY_AFTER_MAX_S)
			after_s = RETRY_AFTER_MAX_S;
		call->err.retry_after_ms = (int)after_s * 1000;
	}
}

static void answered(struct kube_call *call)
{
	struct kube_client *c = call->client;
	int status = call->res.status;

	if (status >= 200 && status < 300) {
		call->failed = false;
		err_clear(&call->err);
		call->res.body_len = call->in.len;
		call->res.body = sb_take(&call->in);
		kube_http_stop(call);
		kube_call_finish(call);
		return;
	}
	take_failure(call);
	kube_http_stop(call);
	if (status == 401 && c->token_file && !call->token_renewed) {
		call->token_renewed = true;
		kube_client_renew_token(c, 0);
		c->stats.retries++;
		kube_call_enqueue(call, true);
		return;
	}
	/* A 5xx may come from behind the write: etcd took it, its answer came too late. */
	if (!call->is_read && status >= 500)
		call->res.unknown = true;
	if (status >= 500)
		c->stats.failures++;
	if (!call->data && (status == 429 || (call->is_read && status >= 500)))
		retry_or_fail(call);
	else
		kube_call_fail(call);
}

static void describe_cut(struct kube_call *call, CURLcode rc)
{
	const char *text = call->curl_text[0] ? call->curl_text : curl_easy_strerror(rc);

	if (call->over_cap)
		err_set(&call->err, ERR_DECODE, 0, "the answer is larger than %zu bytes",
			call->max_body);
	else if (rc == CURLE_ABORTED_BY_CALLBACK)
		err_set(&call->err, ERR_TRANSPORT, 0,
			"the connection was closed before the answer came");
	else
		err_set(&call->err, ERR_TRANSPORT, 0, "%s", text);
}

/* The connection failed, at whatever point. */
static void cut(struct kube_call *call, CURLcode rc)
{
	bool again = call->is_read && !call->data && !call->over_cap && is_passing(rc);

	/* A status without its body is no answer. */
	call->res.status = 0;
	call->res.reason[0] = '\0';
	if (!call->data_failed)
		describe_cut(call, rc);
	call->res.unknown = call->sent && !call->is_read;
	call->client->stats.failures++;
	kube_http_stop(call);
	if (again)
		retry_or_fail(call);
	else
		kube_call_fail(call);
}

void kube_call_attempt_done(struct kube_call *call, CURLcode rc)
{
	long status = 0;

	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	call->res.status = (int)status;
	call->client->running -= !call->data;
	if (rc)
		cut(call, rc);
	else
		answered(call);
}

/* The deadline is over in whatever state. */
void kube_call_expired(struct kube_call *call)
{
	struct err last = call->err;
	bool unknown = call->state == CALL_RUNNING && call->sent && !call->is_read;

	if (call->state == CALL_RUNNING) {
		call->client->running -= !call->data;
		kube_http_stop(call);
		call->client->stats.failures++;
	}
	call->res.status = 0;
	call->res.reason[0] = '\0';
	call->res.unknown = unknown;
	if (unknown)
		err_set(&call->err, ERR_TRANSPORT, 0, "the deadline passed before the answer came");
	else if (last.kind)
		err_set(&call->err, ERR_TIMEOUT, 0,
			"no answer before the deadline; before that: %s", last.msg);
	else
		err_set(&call->err, ERR_TIMEOUT, 0, "no answer before the deadline");
	kube_call_fail(call);
}
