/* SPDX-License-Identifier: Apache-2.0 */
/* AdmissionReview, admission.k8s.io/v1: what the API server asks, and the answer. No I/O. */
#ifndef ADMIT_REVIEW_H
#define ADMIT_REVIEW_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"
#include "lib/base/sb.h"
#include "lib/json/jscan.h"

enum admit_operation { ADMIT_OTHER = 0, ADMIT_CREATE, ADMIT_UPDATE, ADMIT_DELETE };

struct admit_review {
	char *uid;
	char *group, *resource,
		*subresource; /* "apps", "deployments", ""; as the webhook asked for them */
	char *ns, *name;
	enum admit_operation operation;
	struct jspan user;   /* userInfo: who asks, as the API server has found out; may be none */
	struct jspan object; /* lent from the text; none for DELETE */
	struct jspan old;    /* none for CREATE */
};

/** admit_review_parse - text is lent and must outlive *out. ERR_DECODE says what is wrong. */
int admit_review_parse(const char *text, size_t len, struct admit_review *out,
		       struct err *e) FN_MUST;
void admit_review_done(struct admit_review *r);
DEFINE_AUTO_VALUE(struct admit_review, admit_review_done)

#define ADMIT_WARNINGS_MAX 8

/* Allowed until it is refused. */
struct admit_answer {
	int code; /* 0 = allowed, else the status that the user's request ends with */
	int retry_s;
	char message[1024];
	char *warnings[ADMIT_WARNINGS_MAX]; /* shown by kubectl, the request goes on */
	size_t n_warnings;
};

void admit_answer_done(struct admit_answer *a);
DEFINE_AUTO_VALUE(struct admit_answer, admit_answer_done)

/** admit_refuse - with 403 and this text. The first refusal counts. Returns false. */
bool admit_refuse(struct admit_answer *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/** admit_postpone - with 503 and Retry-After, which clients follow by themselves. */
void admit_postpone(struct admit_answer *a, int retry_s, const char *why);
/** admit_warn - beyond ADMIT_WARNINGS_MAX they are dropped. */
void admit_warn(struct admit_answer *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** admit_answer_write - the AdmissionReview to send. */
void admit_answer_write(const struct admit_review *r, const struct admit_answer *a, struct sb *out);

#endif
