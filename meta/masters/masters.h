/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which NIC of this node a network is on: where machines differ, a subnet's spec.master may be an alias of a file that
 * each of them has, or its spec.masterSelector tells what the NIC is.
 */
#ifndef META_MASTERS_MASTERS_H
#define META_MASTERS_MASTERS_H

#include <stddef.h>

#include "lib/base/err.h"

struct api_network;
struct io_limit;
struct macvlan_card;

/**
 * masters_choose - put that network's NIC into card->master; card->node is for messages.
 *
 * By its name masters_resolve() and its errors; by a selector macvlan_nic_find() and its.
 */
int masters_choose(const struct api_network *net, const char *file, const struct io_limit *limit,
		   struct macvlan_card *card, struct err *e) FN_MUST;

/** masters_wrap - tell in an error by what the card's NIC was chosen, unless it is the name that the record has. */
void masters_wrap(const struct api_network *net, const char *file, const struct macvlan_card *card,
		  struct err *e);

/**
 * masters_resolve - what this node calls that master: the masters file's word for it, else its own name.
 * @file: a JSON object of alias to NIC, such as {"lan": "ens4"}; where there is none, there are no aliases
 * @limit: how long to wait for the file
 * @name: replaced where the file knows it
 *
 * An alias of an alias is none. ERR_DECODE and ERR_CONFIG with file and key; else as io_read_file_by().
 */
int masters_resolve(const char *file, const struct io_limit *limit, char *name, size_t size,
		    struct err *e) FN_MUST;

#endif
