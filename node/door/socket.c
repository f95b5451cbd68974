/* SPDX-License-Identifier: Apache-2.0 */
#include "node/door/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/auto.h"
#include "lib/base/io.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

#define BACKLOG 128

/* Who may write there could put a socket of his own under the name. */
static int check_folder(const char *path, struct err *e)
{
	AUTO(free) char *copy = xstrdup(path);
	const char *folder = dirname(copy);
	struct stat st;

	if (io_mkdirs(folder, 0755, e) < 0)
		return -1;
	if (stat(folder, &st) < 0)
		return err_errno(e, ERR_IO, errno, "%s", folder);
	if (st.st_uid != geteuid() || st.st_mode & (S_IWGRP | S_IWOTH))
		return err_set(e, ERR_IO, 0, "%s: others may write in this folder", folder);
	return 0;
}

static int take_lock(const char *path, int *out, struct err *e)
{
	AUTO(free) char *name = xasprintf("%s.lock", path);
	AUTO(fd) int fd = open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_errno(e, ERR_IO, errno, "open %s", name);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			return err_set(e, ERR_AGAIN, 0, "%s: another daemon has this socket", path);
		return err_errno(e, ERR_IO, errno, "lock %s", name);
	}
	*out = fd_steal(&fd);
	return 0;
}

/* Of a daemon that is gone: we have its lock. */
static int check_place(const char *path, struct err *e)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : err_errno(e, ERR_IO, errno, "%s", path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(e, ERR_IO, 0, "%s: what is there is not a socket", path);
	return 0;
}

static int bind_and_listen(int fd, const struct sockaddr_un *addr, struct err *e)
{
	if (unlink(addr->sun_path) < 0 && errno != ENOENT)
		return err_errno(e, ERR_IO, errno, "remove %s", addr->sun_path);
	/* The file has the mode of the socket that it is made from. */
	if (fchmod(fd, 0600) < 0 || bind(fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0 ||
	    listen(fd, BACKLOG) < 0)
		return err_errno(e, ERR_IO, errno, "listen on %s", addr->sun_path);
	return 0;
}

static int open_socket(const char *path, int *out, struct err *e)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	AUTO(free) char *temp = xasprintf("%s.new", path);
	AUTO(fd) int fd = -1;

	if (str_copy(addr.sun_path, sizeof(addr.sun_path), temp) < 0)
		return err_set(e, ERR_CONFIG, 0, "%s: a socket's path has %zu bytes at most", path,
			       sizeof(addr.sun_path) - sizeof(".new"));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_errno(e, ERR_IO, errno, "socket");
	if (bind_and_listen(fd, &addr, e) < 0)
		return -1;
	if (rename(temp, path) < 0)
		return err_errno(e, ERR_IO, errno, "rename %s", temp);
	*out = fd_steal(&fd);
	return 0;
}

int door_socket_open(const char *path, struct door_socket *out, struct err *e)
{
	AUTO(fd) int lock = -1;
	int fd = -1;

	if (check_folder(path, e) < 0 || take_lock(path, &lock, e) < 0 ||
	    check_place(path, e) < 0 || open_socket(path, &fd, e) < 0)
		return -1;
	*out = (struct door_socket){xstrdup(path), fd, fd_steal(&lock)};
	return 0;
}

void door_socket_close(struct door_socket *s)
{
	if (s->fd >= 0)
		unlink(s->path);
	fd_auto(&s->fd);
	fd_auto(&s->lock);
	free(s->path);
	*s = (struct door_socket){NULL, -1, -1};
}

static bool is_roots(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && peer.uid == 0;
}

int door_socket_accept(const struct door_socket *s)
{
	for (;;) {
		int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
			continue;
		if (fd < 0 || is_roots(fd))
			return fd;
		close(fd);
	}
}
