/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/undo.h"

#include "lib/base/mem.h"

struct undo_step {
	struct undo_step *below;
	const char *what;
	undo_fn *fn;
	void *ctx;
};

void undo_push(struct undo *u, const char *what, undo_fn *fn, void *ctx)
{
	struct undo_step *s = xmalloc(sizeof(*s));

	*s = (struct undo_step){u->top, what, fn, ctx};
	u->top = s;
}

int undo_run(struct undo *u, struct err *e)
{
	struct err first = {0};

	while (u->top) {
		struct undo_step *s = u->top;
		struct err now = {0};

		u->top = s->below;
		if (s->fn(s->ctx, &now) < 0 && !first.kind) {
			err_wrap(&now, "undo %s", s->what);
			first = now;
		}
		free(s);
	}
	if (!first.kind)
		return 0;
	*e = first;
	return -1;
}

void undo_done(struct undo *u)
{
	while (u->top) {
		struct undo_step *s = u->top;

		u->top = s->below;
		free(s);
	}
}
