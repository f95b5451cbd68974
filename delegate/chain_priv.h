/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a chain, for chain*.c alone. */
#ifndef DELEGATE_CHAIN_PRIV_H
#define DELEGATE_CHAIN_PRIV_H

#include "delegate/chain.h"

struct chain_plugin {
	char *type;
	struct jspan conf; /* within the chain's text */
};

struct chain {
	char *text; /* the conf: spans point into it */
	char *name;
	char *note;
	enum cni_version version;
	bool disable_check, disable_gc;
	struct chain_plugin *v;
	size_t n;
};

#endif
