/* SPDX-License-Identifier: Apache-2.0 */
/* What one plugin of a chain is given: its conf with the runtime's part spliced in. For chain.c. */
#ifndef DELEGATE_CHAIN_CONF_H
#define DELEGATE_CHAIN_CONF_H

#include "delegate/chain_priv.h"

/**
 * chain_conf_build - the bytes for plugin i; the caller frees.
 * @prev: the former result, in the chain's version (see chain_conf_prev()); p NULL = none
 *
 * cniVersion and name of the list come first, then the plugin's own members as they are and in
 * their order, but for "capabilities" and "cni.dev/..." keys, then runtimeConfig (what the
 * plugin's capabilities declare, if there is any of it), prevResult and, for GC, the attachments.
 */
char *chain_conf_build(const struct chain *c, size_t i, enum cni_command command,
		       const struct chain_env *env, struct jspan prev);

/**
 * chain_conf_prev - a result as the chain's plugins can read it.
 *
 * The bytes as they are when the versions agree (or the chain is older than 0.3.0, when nothing
 * could be made of them), converted when they do not. *owned is what the caller
 * frees, *out points to it or into prev. ERR_DECODE, ERR_VERSION: it cannot be converted.
 */
int chain_conf_prev(const struct chain *c, struct jspan prev, char **owned, struct jspan *out,
		    struct err *e) FN_MUST;

#endif
