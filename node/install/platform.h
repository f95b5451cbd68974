/* SPDX-License-Identifier: Apache-2.0 */
/* Where the node's runtime looks for CNI confs and plugins. */
#ifndef NODE_INSTALL_PLATFORM_H
#define NODE_INSTALL_PLATFORM_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"

enum platform_kind {
	PLATFORM_AUTO = 0,
	PLATFORM_MICROK8S,
	PLATFORM_RKE2,
	PLATFORM_K3S,
	PLATFORM_K3S_OLD, /* its plugins in a folder that each upgrade replaces */
	PLATFORM_CRIO,
	PLATFORM_KUBEADM, /* and everything else that keeps to the usual folders */
	PLATFORM_GIVEN,   /* both folders by the administrator's hand */
};

/* All paths as the node names them. */
struct platform {
	enum platform_kind kind;
	char *conf_dir;
	char *bin_dir;      /* where our plugin goes */
	char *bin_dirs;     /* where all plugins are, colons between */
	char *runtime_file; /* of the runtime's configuration, that said something; NULL = none did */
	char *default_network; /* the only one that CRI-O takes, by its name; NULL = the first file's */
	int64_t max_confs;     /* containerd's max_conf_num; -1 = it does not say */
};

/** platform_parse - a name, "auto" among them. -1: none of them. */
int platform_parse(const char *name, enum platform_kind *out) FN_MUST;
const char *platform_name(enum platform_kind kind);

/**
 * platform_find - look it up, by what is on the disk now.
 * @root: where the node's / is
 *
 * The folders that the runtime's own configuration names win over the usual ones, if they are there. ERR_NOT_FOUND:
 * a folder is not there (yet). End *out with platform_done().
 */
int platform_find(const char *root, enum platform_kind wanted, struct platform *out,
		  struct err *e) FN_MUST;
void platform_done(struct platform *p);
DEFINE_AUTO_VALUE(struct platform, platform_done)

/**
 * platform_toml - the strings of a key in a TOML text, in whatever table it stands: one, or an array's. Pure.
 *
 * A number or a word without quotes counts as a string. NULL when there is none; else ended by NULL, the caller
 * frees each and the list. The last of several holds.
 */
char **platform_toml(const char *text, const char *key);

#endif
