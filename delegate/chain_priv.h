/* The inside of a chain, for chain*.c alone. */
#ifndef DELEGATE_CHAIN_PRIV_H
#define DELEGATE_CHAIN_PRIV_H

#include "delegate/chain.h"

struct chain_plugin {
	char *type;
	struct jspan conf; /* within one of the chain's texts */
};

struct chain {
	char **texts; /* the conf itself, then the files of its folder */
	size_t n_texts;
	char *name;
	char *note;
	enum cni_version version;
	bool disable_check, disable_gc;
	struct chain_plugin *v;
	size_t n;
};

#endif
