/* SPDX-License-Identifier: Apache-2.0 */
/* What the next write to a subnet's allocation record gives, and to whom. */
#ifndef CONTROLLER_SUBNETS_CHOOSE_H
#define CONTROLLER_SUBNETS_CHOOSE_H

struct subnet;

/**
 * choose_next - the record as the next write makes it, into subnet->next.
 *
 * Who gets an address by it leaves the queue (subnet->sent, subnet->wants); who gets none is told why. How many of the
 * releases, drops, adoptions and conflicts are in it stands in subnet->n_sent_*.
 */
void choose_next(struct subnet *subnet);

#endif
