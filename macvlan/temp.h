/* SPDX-License-Identifier: Apache-2.0 */
/* The names that links of ours have until they are set up. */
#ifndef MACVLAN_TEMP_H
#define MACVLAN_TEMP_H

#include <net/if.h>
#include <stdbool.h>

#include "lib/base/err.h"

/** macvlan_temp_name - a new one, by chance: it may be taken. ERR_IO. */
int macvlan_temp_name(char out[IFNAMSIZ], struct err *e) FN_MUST;

/** macvlan_is_temp_name - a link of this name was left behind by a call that was killed. */
bool macvlan_is_temp_name(const char *name);

#endif
