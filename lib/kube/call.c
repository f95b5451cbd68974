/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/kube/client_int.h"
#include "lib/kube/json.h"

#define BACKOFF_FIRST_MS 50
#define BACKOFF_MAX_MS   2000

int64_t kube_jitter(uint64_t random, int64_t ms)
{
	return ms * 3 / 4 + (int64_t)(random % (uint64_t)(ms / 2 + 1));
}

/* ------------------------------------------------------------------ repeats */

static int64_t backoff_ms(const struct kube_call *call, uint64_t random)
{
	unsigned int doublings = call->attempts < 8 ? call->attempts - 1 : 7;
	int64_t ms = (int64_t)BACKOFF_FIRST_MS << doublings;

	return kube_jitter(random, ms < BACKOFF_MAX_MS ? ms : BACKOFF_MAX_MS);
}

enum kube_call_next kube_call_fail(struct kube_call *call)
{
	call->failed = true;
	/* The path names the object, the query tells people nothing. data()'s words are its own. */
	if (!call->data_failed)
		err_wrap(&call->err, "%s %s", call->method, call->path);
	return KUBE_CALL_FAIL;
}

/* Pause before another attempt, or give up when the deadline comes first. */
static enum kube_call_next pause_or_fail(struct kube_call *call, int64_t now_ms, uint64_t random,
					 int64_t *pause_ms)
{
	int64_t asked_ms = call->err.retry_after_ms;

	*pause_ms = asked_ms ? asked_ms : backoff_ms(call, random);
	return now_ms + *pause_ms >= call->deadline_ms ? kube_call_fail(call) : KUBE_CALL_PAUSE;
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

static void take_failure(struct kube_call *call, int64_t retry_after_s)
{
	err_clear(&call->err);
	decode_failure(call);
	if (retry_after_s > 0)
		call->err.retry_after_ms = kube_retry_after_ms(retry_after_s);
}

static enum kube_call_next judge_answer(struct kube_call *call, const struct kube_http_end *end,
					int64_t now_ms, uint64_t random, int64_t *pause_ms)
{
	int status = end->status;

	call->res.status = status;
	if (status >= 200 && status < 300) {
		call->failed = false;
		err_clear(&call->err);
		call->res.body_len = call->in.len;
		call->res.body = sb_take(&call->in);
		return KUBE_CALL_DONE;
	}
	take_failure(call, end->retry_after_s);
	if (status == 401 && call->may_renew_token) {
		call->may_renew_token = false;
		return KUBE_CALL_RENEW_TOKEN;
	}
	/* A 5xx may come from behind the write: etcd took it, its answer came too late. */
	if (!call->is_read && status >= 500)
		call->res.unknown = true;
	if (!call->data && (status == 429 || (call->is_read && status >= 500)))
		return pause_or_fail(call, now_ms, random, pause_ms);
	return kube_call_fail(call);
}

/* ------------------------------------------------------------------ no answer */

static void no_status(struct kube_call *call)
{
	call->res.status = 0;
	call->res.reason[0] = '\0';
}

enum kube_call_next kube_call_judge(struct kube_call *call, const struct kube_http_end *end,
				    int64_t now_ms, uint64_t random, int64_t *pause_ms)
{
	if (end->result == KUBE_HTTP_ANSWERED)
		return judge_answer(call, end, now_ms, random, pause_ms);
	/* A status without its body is no answer. */
	no_status(call);
	if (call->over_cap)
		err_set(&call->err, ERR_DECODE, EFBIG, "the answer is larger than %zu bytes",
			call->max_body);
	else if (!call->data_failed)
		err_set(&call->err, ERR_TRANSPORT, 0, "%s", end->text);
	call->res.unknown = call->sent && !call->is_read;
	if (end->result == KUBE_HTTP_CUT && call->is_read && !call->data)
		return pause_or_fail(call, now_ms, random, pause_ms);
	return kube_call_fail(call);
}

void kube_call_judge_expired(struct kube_call *call, int64_t now_ms)
{
	struct err last = call->err;
	bool unknown = call->state == CALL_RUNNING && call->sent && !call->is_read;

	no_status(call);
	call->res.unknown = unknown;
	if (now_ms < call->deadline_ms)
		err_set(&call->err, ERR_TIMEOUT, 0, "nothing came for %lld ms",
			(long long)call->max_silence_ms);
	else if (unknown)
		err_set(&call->err, ERR_TRANSPORT, 0, "the deadline passed before the answer came");
	else if (last.kind)
		err_set(&call->err, ERR_TIMEOUT, 0,
			"no answer before the deadline; before that: %s", last.msg);
	else
		err_set(&call->err, ERR_TIMEOUT, 0, "no answer before the deadline");
	kube_call_fail(call);
}
