/* SPDX-License-Identifier: Apache-2.0 */
/* What why.c and its steps share. */
#ifndef KUBECTL_RULES_WHY_INT_H
#define KUBECTL_RULES_WHY_INT_H

#include "api/annotations.h"
#include "kubectl/rules/why.h"

struct facts_subnet;

/* A step: its text, and true when the walk ends there because something is wrong. */
bool why_say(struct why *w, bool wrong, const char *what, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* What the pod asks for: by its own annotations, or by a default. */
struct why_request {
	struct api_request request;
	bool by_default;
	bool is_bad; /* why, in bad */
	struct err bad;
};

/** why_request_read - in->pod is there. The caller ends out->request. */
void why_request_read(const struct why_in *in, struct why_request *out);
/** why_wants_none - a step, and true: it asks for no card. */
bool why_wants_none(const struct why_in *in, const struct why_request *q, struct why *w);
/** why_subnet_refused - a step: may it have a card of one of its subnets? True = of none. */
bool why_subnet_refused(const struct why_in *in, const struct why_request *q, struct why *w);
/** why_none_has_one - why no subnet that it may have has an address for it; false = one has, as far as can be seen. */
bool why_none_has_one(const struct why_in *in, const struct why_request *q, char buf[WHY_TEXT_LEN]);

/** why_address_refused - why the subnet cannot give what the pod asks for; false = it could, as far as can be seen. */
bool why_address_refused(const struct why_in *in, const struct facts_subnet *s,
			 const struct api_request *q, char buf[WHY_TEXT_LEN]);

#endif
