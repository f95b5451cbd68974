/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses as the commands show them. */
#ifndef KUBECTL_IPS_H
#define KUBECTL_IPS_H

#include "kubectl/print/table.h"
#include "kubectl/rules/address.h"

struct jw;

/** ips_style - how a state is coloured. */
enum print_style ips_style(enum address_state s);
/** ips_write - as an object of JSON. */
void ips_write(struct jw *w, const struct address *a);

#endif
