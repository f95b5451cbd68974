/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/nl/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/base/auto.h"

/* Of the thread, not of the process: another thread may be on a visit of its own. */
#define NETNS_OWN "/proc/thread-self/ns/net"

static int netns_open_raw(const char *path)
{
	int fd;

	/* O_NONBLOCK: the path comes from outside, and a FIFO must not hold us. */
	do
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	while (fd < 0 && errno == EINTR);
	return fd;
}

int netns_id(int fd, dev_t *out_dev, ino_t *out_ino, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_errno(e, ERR_NETNS, errno, "stat a network namespace");
	*out_dev = st.st_dev;
	*out_ino = st.st_ino;
	return 0;
}

/* 1 when fd is the namespace at path. A path that cannot be opened is nobody's namespace. */
static int netns_is(int fd, const char *path, struct err *e)
{
	AUTO(fd) int other = netns_open_raw(path);
	dev_t dev = 0, other_dev = 0;
	ino_t ino = 0, other_ino = 0;

	if (other < 0)
		return 0;
	if (netns_id(fd, &dev, &ino, e) < 0 || netns_id(other, &other_dev, &other_ino, e) < 0)
		return -1;
	return dev == other_dev && ino == other_ino;
}

int netns_is_own(int fd, struct err *e)
{
	AUTO(fd) int own = netns_open_raw(NETNS_OWN);

	/* Without /proc nobody can say, and then nothing may be done. */
	if (own < 0)
		return err_errno(e, ERR_NETNS, errno, "open %s", NETNS_OWN);
	return netns_is(fd, NETNS_OWN, e);
}

static int netns_check_type(int fd, const char *path, struct err *e)
{
	struct statfs fs;
	int type;

	if (fstatfs(fd, &fs) < 0)
		return err_errno(e, ERR_NETNS, errno, "statfs %s", path);
	if (fs.f_type != NSFS_MAGIC) {
		struct stat st;
		bool plain = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);

		return err_set(e, ERR_NETNS, plain ? ENOENT : EINVAL, "%s is not a namespace%s",
			       path, plain ? ", its mount is gone" : "");
	}
	type = ioctl(fd, NS_GET_NSTYPE);
	if (type < 0)
		return err_errno(e, ERR_NETNS, errno, "ask for the type of %s", path);
	if (type != CLONE_NEWNET)
		return err_set(e, ERR_NETNS, EINVAL, "%s is not a network namespace", path);
	return 0;
}

int netns_open(const char *path, int *out_fd, struct err *e)
{
	AUTO(fd) int fd = netns_open_raw(path);
	int own;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ESRCH))
		return err_set(e, ERR_NETNS, ENOENT, "%s does not exist", path);
	if (fd < 0)
		return err_errno(e, ERR_NETNS, errno, "open %s", path);
	if (netns_check_type(fd, path, e) < 0)
		return -1;
	own = netns_is_own(fd, e);
	if (own == 0)
		own = netns_is(fd, "/proc/1/ns/net", e);
	if (own < 0)
		return -1;
	if (own)
		return err_set(e, ERR_NETNS, EPERM, "%s is the network namespace of the host",
			       path);
	*out_fd = fd_steal(&fd);
	return 0;
}

int netns_call(int fd, netns_fn *fn, void *ctx, struct err *e)
{
	AUTO(fd) int former = netns_open_raw(NETNS_OWN);
	int rc;

	if (former < 0)
		return err_errno(e, ERR_NETNS, errno, "open %s", NETNS_OWN);
	if (setns(fd, CLONE_NEWNET) < 0)
		return err_errno(e, ERR_NETNS, errno, "enter the network namespace");
	rc = fn(ctx, e);
	if (setns(former, CLONE_NEWNET) < 0)
		abort();
	return rc;
}
