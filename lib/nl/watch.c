/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/nl/watch.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/auto.h"

int nl_watch_links(int *out_fd, struct err *e)
{
	AUTO(fd)
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	struct sockaddr_nl a = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return err_errno(e, ERR_KERNEL, errno, "watch the links");
	*out_fd = fd_steal(&fd);
	return 0;
}

/* ENOBUFS: there was more than the socket holds, which says no more than that there was something. */
void nl_watch_drain(int fd)
{
	char buf[4096];
	ssize_t n;

	do
		n = read(fd, buf, sizeof(buf));
	while (n > 0 || (n < 0 && (errno == EINTR || errno == ENOBUFS)));
}
