/* SPDX-License-Identifier: Apache-2.0 */
/* "10.96.0.100:5201", "[fd00::1]:53/udp" and lists of them. No I/O. */
#ifndef SERVICES_ADDRESS_H
#define SERVICES_ADDRESS_H

#include "lib/base/err.h"
#include "lib/base/sb.h"
#include "services/table/table.h"

/**
 * address_read - "IP:PORT", an IPv6 address in brackets; with out_proto also "/tcp" and "/udp".
 *
 * *out_proto is 0 where none is said. ERR_CONFIG names text. An address in dotted IPv6 form (::ffff:...) is none.
 */
int address_read(const char *text, struct table_endpoint *out, uint8_t *out_proto,
		 struct err *e) FN_MUST;

/** address_read_list - commas between them, all of one family. The caller frees *out. */
int address_read_list(const char *text, uint8_t family, struct table_endpoint **out, size_t *out_n,
		      struct err *e) FN_MUST;

/** address_print - as address_read() reads it. */
void address_print(const struct table_endpoint *a, struct sb *out);

#endif
