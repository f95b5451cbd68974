/* SPDX-License-Identifier: Apache-2.0 */
/* Scoped cleanup: every owner is declared with AUTO() and initialised on the spot. */
#ifndef LIB_BASE_AUTO_H
#define LIB_BASE_AUTO_H

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* AUTO(free) char *p = NULL; AUTO(fd) int fd = -1; AUTO(sb_done) struct sb s = SB_INIT; */
#define AUTO(fn) __attribute__((cleanup(fn##_auto)))

/* DEFINE_AUTO(struct x, x_free): AUTO(x_free) for "struct x *", freed through its pointer. */
#define DEFINE_AUTO(type, fn)                  \
	static inline void fn##_auto(type **p) \
	{                                      \
		int saved = errno;             \
		if (*p)                        \
			fn(*p);                \
		errno = saved;                 \
	}

/* DEFINE_AUTO_VALUE(struct x, x_done): AUTO(x_done) for an embedded "struct x". */
#define DEFINE_AUTO_VALUE(type, fn)           \
	static inline void fn##_auto(type *p) \
	{                                     \
		int saved = errno;            \
		fn(p);                        \
		errno = saved;                \
	}

/* Hand an owned pointer on: the variable is NULL afterwards. */
#define STEAL(p)                           \
	({                                 \
		__auto_type stolen_ = (p); \
		(p) = NULL;                \
		stolen_;                   \
	})

static inline void free_auto(void *p)
{
	int saved = errno;

	free(*(void **)p);
	errno = saved;
}

static inline void fd_auto(const int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

static inline int fd_steal(int *fd)
{
	int stolen = *fd;

	*fd = -1;
	return stolen;
}

static inline void fclose_auto(FILE **f)
{
	int saved = errno;

	if (*f)
		fclose(*f);
	errno = saved;
}

static inline void closedir_auto(DIR **d)
{
	int saved = errno;

	if (*d)
		closedir(*d);
	errno = saved;
}

#endif
