/* SPDX-License-Identifier: Apache-2.0 */
/* A growing string. */
#ifndef LIB_BASE_SB_H
#define LIB_BASE_SB_H

#include <stdarg.h>
#include <stddef.h>

#include "lib/base/auto.h"

struct sb {
	char *data; /* terminated once anything was added; NULL before */
	size_t len;
	size_t cap;
};

#define SB_INIT            \
	{                  \
		NULL, 0, 0 \
	}

/** sb_done - free the contents; the builder can be used again. */
void sb_done(struct sb *sb);
DEFINE_AUTO_VALUE(struct sb, sb_done)

/** sb_add - append n bytes. */
void sb_add(struct sb *sb, const void *p, size_t n);
/** sb_puts - append a string. */
void sb_puts(struct sb *sb, const char *s);
/** sb_putc - append one byte. */
void sb_putc(struct sb *sb, char c);
/** sb_printf - append formatted text. */
void sb_printf(struct sb *sb, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** sb_clear - forget the contents, keep the memory. */
void sb_clear(struct sb *sb);
/** sb_get - the text so far, "" when nothing was added. Valid until the next change. */
const char *sb_get(const struct sb *sb);
/** sb_take - hand the text to the caller, who frees it; never NULL. The builder is empty then. */
char *sb_take(struct sb *sb);

#endif
