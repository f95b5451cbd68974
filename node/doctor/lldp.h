/* SPDX-License-Identifier: Apache-2.0 */
/* What a switch says of itself and of its port (IEEE 802.1AB). Untrusted; no I/O. */
#ifndef NODE_DOCTOR_LLDP_H
#define NODE_DOCTOR_LLDP_H

#include <stdbool.h>
#include <stddef.h>

#include "api/doctor.h"

#define LLDP_ETHERTYPE 0x88cc

struct lldp {
	char sw[API_DOCTOR_PORT]; /* its system name, else its chassis */
	char port[API_DOCTOR_PORT];
};

/**
 * lldp_parse - a frame from the Ethernet header on.
 *
 * False for anything that is not whole: chassis, port and time to live come first and once, each TLV ends inside the
 * frame. One that takes itself back (time to live 0) is none. Texts are plain ASCII.
 */
bool lldp_parse(const unsigned char *frame, size_t n, struct lldp *out);

#endif
