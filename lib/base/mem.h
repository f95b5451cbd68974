/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that is there or the process is not: inputs are bounded before they come here. */
#ifndef LIB_BASE_MEM_H
#define LIB_BASE_MEM_H

#include <stddef.h>

/* All of these abort on exhaustion and never return NULL. The caller frees with free(). */
void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull, alloc_size(1)));
void *xcalloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull, alloc_size(1, 2)));
void *xrealloc(void *p, size_t size) __attribute__((returns_nonnull, alloc_size(2)));
/** xreallocarray - realloc to n * size bytes, with the product checked for overflow. */
void *xreallocarray(void *p, size_t n, size_t size) __attribute__((returns_nonnull));
/** xstrdup - a copy of s; NULL stays NULL. */
char *xstrdup(const char *s);
/** xstrndup - at most n bytes of s, terminated. */
char *xstrndup(const char *s, size_t n) __attribute__((malloc, returns_nonnull));
/** xmemdup - a copy of n bytes plus a terminating NUL that does not count. */
void *xmemdup(const void *p, size_t n) __attribute__((malloc, returns_nonnull));
/** xasprintf - formatted text of any length. */
char *xasprintf(const char *fmt, ...)
	__attribute__((malloc, returns_nonnull, format(printf, 1, 2)));

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* The struct that ptr's target is embedded in as member. */
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#endif
