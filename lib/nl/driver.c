/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/nl/driver.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "lib/base/auto.h"
#include "lib/base/str.h"

int nl_driver_of(const char *link, char out[NL_DRIVER_MAX], struct err *e)
{
	AUTO(fd) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
	struct ifreq req = {.ifr_data = (char *)&info};

	if (fd < 0)
		return err_errno(e, ERR_KERNEL, errno, "socket for ethtool");
	if (str_copy(req.ifr_name, sizeof(req.ifr_name), link) < 0)
		return 0;
	if (ioctl(fd, SIOCETHTOOL, &req) < 0)
		return errno == ENODEV || errno == EOPNOTSUPP
			       ? 0
			       : err_errno(e, ERR_KERNEL, errno, "driver of %s", link);
	info.driver[NL_DRIVER_MAX - 1] = '\0';
	memcpy(out, info.driver, NL_DRIVER_MAX);
	return *out ? 1 : 0;
}
