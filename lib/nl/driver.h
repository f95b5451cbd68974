/* SPDX-License-Identifier: Apache-2.0 */
/* Whose device it is: what netlink does not tell, and the older interface does. */
#ifndef LIB_NL_DRIVER_H
#define LIB_NL_DRIVER_H

#include "lib/base/err.h"

#define NL_DRIVER_MAX 32 /* as struct ethtool_drvinfo has it */

/**
 * nl_driver_of - the name of the driver of a link of the thread's own namespace ("e1000e", "virtio_net", "veth").
 *
 * 1 and *out; 0: there is no such link, or its driver has no name for it; -1 error.
 */
int nl_driver_of(const char *link, char out[NL_DRIVER_MAX], struct err *e) FN_MUST;

#endif
