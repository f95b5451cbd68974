/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/kube/request.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/kube/json.h"

void kube_response_done(struct kube_response *r)
{
	free(r->body);
	*r = (struct kube_response)KUBE_RESPONSE_INIT;
}

void kube_response_take(struct kube_response *to, struct kube_response *from)
{
	kube_response_done(to);
	*to = *from;
	*from = (struct kube_response)KUBE_RESPONSE_INIT;
}

int kube_response_parse(const struct kube_response *r, struct jdoc **out, struct err *e)
{
	if (!r->body)
		return err_set(e, ERR_DECODE, 0, "API server: an empty answer");
	return kube_json_parse("API server", r->body, r->body_len, out, e);
}

bool kube_is_refusal(const struct err *e)
{
	return e->kind == ERR_API && (e->num == 400 || e->num == 403 || e->num == 422);
}

bool kube_response_is_reason(const struct kube_response *r, const char *reason)
{
	return str_eq(r->reason, reason);
}

static struct kube_request request(const char *method, const char *path, const char *body,
				   int64_t deadline_ms)
{
	return (struct kube_request){.method = method,
				     .path = path,
				     .body = body,
				     .body_len = body ? strlen(body) : 0,
				     .deadline_ms = deadline_ms};
}

struct kube_request kube_request_get(const char *path, const char *query, int64_t deadline_ms)
{
	struct kube_request req = request("GET", path, NULL, deadline_ms);

	req.query = query;
	return req;
}

struct kube_request kube_request_create(const char *collection, const char *body,
					int64_t deadline_ms)
{
	return request("POST", collection, body, deadline_ms);
}

struct kube_request kube_request_merge_patch(const char *path, const char *body,
					     int64_t deadline_ms)
{
	struct kube_request req = request("PATCH", path, body, deadline_ms);

	req.content_type = "application/merge-patch+json";
	return req;
}

struct kube_request kube_request_replace(const char *path, const char *body, int64_t deadline_ms)
{
	return request("PUT", path, body, deadline_ms);
}

struct kube_request kube_request_delete(const char *path, const char *options, int64_t deadline_ms)
{
	return request("DELETE", path, options, deadline_ms);
}

static enum err_kind kind_of(int code)
{
	switch (code) {
	case 404:
		return ERR_NOT_FOUND;
	case 409:
		return ERR_CONFLICT;
	case 410:
		return ERR_GONE;
	default:
		return ERR_API;
	}
}

int kube_retry_after_ms(int64_t asked_s)
{
	return (int)(asked_s < KUBE_RETRY_AFTER_MAX_S ? asked_s : KUBE_RETRY_AFTER_MAX_S) * 1000;
}

static int retry_after_ms(const struct jval *status)
{
	struct err ignored = {0};
	struct jval details;
	int64_t after_s = 0;

	if (jget_obj(status, "details", &details, &ignored) != 1 ||
	    jget_i64(&details, "retryAfterSeconds", JRANGE(0, INT32_MAX), &after_s, &ignored) != 1)
		return 0;
	return kube_retry_after_ms(after_s);
}

int kube_status_err(const struct jval *status, int code, char out_reason[40], struct err *e)
{
	const char *kind = NULL, *message = NULL, *reason = NULL;
	struct err ignored = {0};
	int64_t own_code = 0;

	if (!status || !jis_obj(status) || jget_str(status, "kind", &kind, &ignored) != 1 ||
	    !str_eq(kind, "Status"))
		return err_set(e, kind_of(code), code, "HTTP status %d without a Status", code);
	/* Fields of a wrong type count as absent: the code alone is worth reporting. */
	if (jget_str(status, "message", &message, &ignored) != 1)
		message = NULL;
	if (jget_str(status, "reason", &reason, &ignored) != 1)
		reason = NULL;
	if (!code && jget_i64(status, "code", JRANGE(0, 599), &own_code, &ignored) == 1)
		code = (int)own_code;
	if (out_reason && (!reason || str_copy(out_reason, 40, reason)))
		out_reason[0] = '\0';
	if (message && *message)
		err_set(e, kind_of(code), code, "%s", message);
	else
		err_set(e, kind_of(code), code, "HTTP status %d (%s)", code,
			reason ? reason : "no reason given");
	e->retry_after_ms = retry_after_ms(status);
	return -1;
}
