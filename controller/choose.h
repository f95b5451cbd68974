/* What the next write to a subnet's allocation record gives, and to whom. */
#ifndef CONTROLLER_CHOOSE_H
#define CONTROLLER_CHOOSE_H

#include "controller/app.h"

/**
 * choose_next - the record as the next write makes it, into sub->next.
 *
 * Who gets an address by it leaves the queue (sub->sent, sub->wants); who gets none is told why. How many of the
 * releases, drops, adoptions and conflicts are in it stands in sub->n_sent_*.
 */
void choose_next(struct sub *sub);

#endif
