/* SPDX-License-Identifier: Apache-2.0 */
/* The cluster's own CNI: found, loaded, and run beside us. */
#ifndef META_PLUGIN_PRIMARY_H
#define META_PLUGIN_PRIMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "delegate/chain.h"
#include "lib/base/auto.h"
#include "lib/base/err.h"

struct app;
struct state;

/* Its conf, as bytes and as a chain. */
struct primary {
	char *text; /* verbatim, for the state file */
	struct chain *chain;
};

/**
 * primary_load - the delegate of the conf: inline, or the file as it is now; no plugins where there is no primary.
 *
 * A file that is missing or half written gives way to the last good copy in the state directory, to ADD and STATUS
 * for 30 s only; without one it is ERR_AGAIN. ERR_CONFIG when it runs this very plugin again.
 * End *out with primary_done().
 */
int primary_load(struct app *app, struct primary *out, struct err *e) FN_MUST;

/** primary_restore - the delegate as it was at ADD. ERR_DECODE, ERR_CONFIG: the state makes no sense. */
int primary_restore(const struct state *s, struct primary *out, struct err *e) FN_MUST;
void primary_done(struct primary *p);
DEFINE_AUTO_VALUE(struct primary, primary_done)

/* An ADD of the chain in a thread of its own. */
struct primary_add;

/**
 * primary_add_start - start it.
 * @chain: lent until primary_add_free()
 * @env: lent likewise
 */
int primary_add_start(const struct chain *chain, const struct chain_env *env,
		      struct primary_add **out, struct err *e) FN_MUST;

/** primary_add_over_fd - readable once the ADD has failed or is to end; never for its success. Lent. */
int primary_add_over_fd(const struct primary_add *a);

/** primary_add_join - wait for its end. 0 and the results (lent), or the chain's error. Once. */
int primary_add_join(struct primary_add *a, const struct chain_results **out,
		     struct err *e) FN_MUST;

/** primary_add_us - how long it took; after primary_add_join(). */
int64_t primary_add_us(const struct primary_add *a);

/** primary_add_free - cancel it if it still runs, wait for the thread, free all. NULL is fine. */
void primary_add_free(struct primary_add *a);
DEFINE_AUTO(struct primary_add, primary_add_free)

#endif
