/* SPDX-License-Identifier: Apache-2.0 */
/* What has been done to the kernel or the API, so that a failure can take it back in reverse. */
#ifndef LIB_BASE_UNDO_H
#define LIB_BASE_UNDO_H

#include "lib/base/auto.h"
#include "lib/base/err.h"

struct undo_step;

struct undo {
	struct undo_step *top;
};

#define UNDO_INIT    \
	{            \
		NULL \
	}

/* Takes one effect back. A failure is reported but does not stop the steps before it. */
typedef int undo_fn(void *ctx, struct err *e);

/** undo_push - remember how to take back what was just done. what: static text for errors; ctx is lent. */
void undo_push(struct undo *u, const char *what, undo_fn *fn, void *ctx);

/**
 * undo_run - take everything back, newest first, and forget it.
 *
 * All steps are tried. 0 if all succeeded, else -1 with the first failure.
 */
int undo_run(struct undo *u, struct err *e) FN_MUST;

/** undo_done - forget everything: the work is to stay. */
void undo_done(struct undo *u);
DEFINE_AUTO_VALUE(struct undo, undo_done)

#endif
