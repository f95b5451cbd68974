/* SPDX-License-Identifier: Apache-2.0 */
/* The door's socket: a name in a folder that root alone writes to, and one daemon behind it. */
#ifndef NODE_DOOR_SOCKET_H
#define NODE_DOOR_SOCKET_H

#include <stdbool.h>

#include "lib/base/err.h"

struct door_socket {
	char *path;
	int fd, lock; /* -1 = none */
};

/**
 * door_socket_open - listen there; makes the folder, and replaces the socket of a daemon that is gone.
 * @path: absolute; copied
 *
 * The socket appears under its name when it listens already and is root's (mode 0600). ERR_AGAIN: another daemon
 * has it. ERR_CONFIG: the path is too long. ERR_IO: all else, such as a folder in which others may write.
 */
int door_socket_open(const char *path, struct door_socket *out, struct err *e) FN_MUST;

/** door_socket_close - the name goes first: who comes then finds no door. */
void door_socket_close(struct door_socket *s);

/** door_socket_accept - the next connection, of root's; fd >= 0. -1: none waits, or errno says what is wrong. */
int door_socket_accept(const struct door_socket *s);

#endif
