/* SPDX-License-Identifier: Apache-2.0 */
/* The installer's inside, for install.c, place.c and removal.c alone. */
#ifndef NODE_INSTALL_STATE_H
#define NODE_INSTALL_STATE_H

#include <sys/stat.h>

#include "node/install/orders.h"
#include "node/install/front.h"
#include "node/install/install.h"
#include "node/install/platform.h"

#define INSTALL_PLUGIN   "tandem"
#define INSTALL_COPY     "conf.json" /* in the state directory */
#define INSTALL_RETRY_MS 2000        /* while something is missing or waited for */

struct orders_watch;
struct voice;

/* A file as it was: while that is the same, its bytes are. */
struct stamp {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime, ctime;
};

struct install {
	struct install_env env;
	enum platform_kind wanted;
	struct voice *voice;
	struct orders_watch *watch;
	struct orders orders;
	int inotify, conf_watch, bin_watch, lock;
	int64_t start_ms;
	int64_t look_ms;          /* when to look next */
	struct platform platform; /* conf_dir NULL: not known */
	char *conf_at, *bin_at;   /* its folders, as seen from here */
	char *plugin, *copy;      /* paths */
	/* What the conf in place follows; NULL: none is. */
	char *file, *network;
	struct front front;
	struct stamp source, target;
	/* Of the report. */
	const char *state;
	char message[512];
	size_t left;
	/* Of a removal. */
	int64_t removing_ms; /* when the conf was gone; 0 = it is not removed */
	bool removed;
};

/** install_state - what is so now; the report follows. @fmt: what there is to say about it, "" for nothing. */
void install_state(struct install *in, const char *state, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** install_find_platform - look up the folders and watch them. ERR_NOT_FOUND, ERR_IO. */
int install_find_platform(struct install *in, struct err *e) FN_MUST;

/** install_place - plugin and conf into their places, if that can be. Sets the state. */
void install_place(struct install *in);

/** install_remove - one step of the removal. Sets the state, and when to look again. */
void install_remove(struct install *in);

#endif
