/* SPDX-License-Identifier: Apache-2.0 */
#include "admit/status.h"

#include "admit/span.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

/* Of a user's extra, which is lists of strings. False = not told; "" = no node that could be believed. */
static bool sender_of(struct jspan user, char **out)
{
	struct jspan names = span_get(span_get(user, "extra"), ADMIT_STATUS_NODE), name;
	AUTO(free) char *node = NULL;
	size_t n = 0;

	if (!names.p)
		return false;
	for (struct jspan_iter it = jspan_begin(names); jspan_next_element(&it, &name); n++) {
		free(node);
		node = jspan_decode(jspan_trim(name));
	}
	*out = n == 1 && node ? STEAL(node) : xstrdup("");
	return true;
}

static bool is_node_account(struct jspan user, const char *system_ns)
{
	AUTO(free) char *name = span_text(user, "username");
	AUTO(free)
	char *account = xasprintf("system:serviceaccount:%s:" ADMIT_STATUS_ACCOUNT, system_ns);

	return str_eq(name, account);
}

void admit_status_check(const struct admit_review *r, const char *system_ns, struct admit_answer *a)
{
	AUTO(free) char *sender = NULL, *node = NULL;

	if (!is_node_account(r->user, system_ns) || !sender_of(r->user, &sender))
		return;
	/* As it is stored: what the request says of the spec is the sender's word. */
	node = span_text(span_get(r->old, "spec"), "node");
	if (*sender && str_eq(sender, node))
		return;
	admit_refuse(
		a,
		"node \"%.63s\" may not write the status of MacvlanIP %.63s/%.253s, which is of "
		"node \"%.63s\"",
		sender, r->ns, r->name, node);
}
