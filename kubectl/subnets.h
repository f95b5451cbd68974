/* SPDX-License-Identifier: Apache-2.0 */
/* A subnet's state in a word, and in a sentence. */
#ifndef KUBECTL_SUBNETS_H
#define KUBECTL_SUBNETS_H

struct facts_subnet;
struct jw;

/** subnets_state - "ready", "nearly exhausted", "exhausted", "not ready", "unseen", "invalid", "terminating". */
const char *subnets_state(const struct facts_subnet *s);
/** subnets_reason - what is wrong, "" = nothing. Lent. */
const char *subnets_reason(const struct facts_subnet *s);
/** subnets_write - all of it, as JSON. */
void subnets_write(struct jw *w, const struct facts_subnet *s);

#endif
