/* SPDX-License-Identifier: Apache-2.0 */
#include "macvlan/conf6.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/auto.h"

/* 0 written, 1 there is no such setting, -1 error. */
static int write_conf6(const char *ifname, const char *key, char value, struct err *e)
{
	char path[96];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/%s", ifname, key);
	AUTO(fd) int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return 1;
	if (fd < 0)
		return err_errno(e, ERR_IO, errno, "open %s", path);
	do
		n = write(fd, &value, 1);
	while (n < 0 && errno == EINTR);
	if (n != 1)
		return err_errno(e, ERR_IO, errno, "write %s", path);
	return 0;
}

int macvlan_conf6_set(const char *ifname, unsigned int wanted, struct err *e)
{
	bool ra = wanted & MACVLAN_CONF6_RA, router = wanted & MACVLAN_CONF6_FORWARD;
	int rc;

	/* Off first: nothing that comes after can then give the card an address. */
	rc = write_conf6(ifname, "disable_ipv6", wanted ? '0' : '1', e);
	if (rc > 0 && wanted)
		return err_set(e, ERR_KERNEL, EAFNOSUPPORT, "this node's kernel has no IPv6");
	if (rc)
		return rc < 0 ? -1 : 0;
	if (router && write_conf6(ifname, "forwarding", '1', e) < 0)
		return -1;
	/* A router advertisement on the LAN is no business of the card's, unless it is wanted. */
	if (write_conf6(ifname, "accept_ra",
			!ra      ? '0'
			: router ? '2'
				 : '1',
			e) < 0 ||
	    write_conf6(ifname, "autoconf", ra ? '1' : '0', e) < 0)
		return -1;
	return 0;
}
