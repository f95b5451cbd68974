/* SPDX-License-Identifier: Apache-2.0 */
/* Our own conf as the runtime hands it over: a plugin's conf, with name and so on injected. */
#ifndef LIB_CNI_CONF_H
#define LIB_CNI_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"
#include "lib/base/ip.h"
#include "lib/cni/version.h"
#include "lib/json/jscan.h"

#define CNI_CONF_MAX        (1024 * 1024) /* bytes, for stdin and for a delegate's file */
#define CNI_POD_ANNOTATIONS "io.kubernetes.cri.pod-annotations"

struct cni_nets {
	struct ip_net *v;
	size_t n;
};

enum cni_annotations {
	CNI_ANNOTATIONS_ABSENT, /* the runtime does not pass them: ask the API for the pod */
	CNI_ANNOTATIONS_NULL,   /* passed, and the pod has none */
	CNI_ANNOTATIONS_GIVEN,
};

/* Spans point into the conf's own copy of the text; p is NULL for what was not there. */
struct cni_conf {
	struct jspan text; /* the whole conf, owned */
	enum cni_version version;
	char *name;            /* the network's */
	char *type;            /* our own plugin name in this conf */
	struct jspan delegate; /* exactly one of delegate, delegate_file and no_primary is there */
	char *delegate_file;
	bool no_primary;         /* "delegate": "none": the card is the only one of every pod */
	char *default_subnet;    /* of pods that name none; with no_primary alone; NULL = none */
	bool namespace_defaults; /* pods that name no subnet have their namespace's */
	char *socket;            /* of tandem-node, which asks the API server for us */
	char *kubeconfig;        /* for where it does not answer */
	bool kubeconfig_given;   /* false: the path is the default, and nothing need be there */
	char *services; /* where the maps of tandem-services are pinned; nothing need be there */
	char *masters_file;           /* the node's aliases of network cards; need not be there */
	struct cni_nets cluster_cidr; /* of the pods; both families possible */
	struct cni_nets service_cidr;
	struct cni_nets via_primary; /* further networks that always go through eth0 */
	char *system_namespace;
	bool legacy_annotations; /* those of the older product count too */
	char *state_dir;
	int deadline_s;
	char *log_file;  /* "" = none */
	char *log_level; /* a name that log_level_parse() knows */
	char *log_note;  /* what was wrong with the log settings, NULL when nothing */
	struct jspan runtime_config;
	enum cni_annotations annotations_state;
	struct jspan annotations;
	struct cni_nets nameservers; /* runtimeConfig.dns.servers, as /32 or /128 */
	struct jspan prev_result;
	struct jspan valid_attachments; /* GC: cni.dev/valid-attachments; may be null for none */
};

/**
 * cni_conf_parse - check and read a conf.
 * @what: named in errors, "stdin"
 *
 * ERR_DECODE: not JSON or a key of another type; ERR_VERSION: a cniVersion that is not one of
 * 0.1.0 to 1.1.0; ERR_CONFIG: anything that makes no sense, with the key's name. Unknown keys are
 * ignored. Wrong log settings never fail: see log_note.
 */
int cni_conf_parse(const char *what, const char *text, size_t len, struct cni_conf **out,
		   struct err *e) FN_MUST;
void cni_conf_free(struct cni_conf *c);
DEFINE_AUTO(struct cni_conf, cni_conf_free)

/** cni_conf_annotation - a pod annotation from the runtime: 1 (caller frees), 0, -1 no string. */
int cni_conf_annotation(const struct cni_conf *c, const char *key, char **out,
			struct err *e) FN_MUST;

/** cni_conf_nests - a checked conf or list runs this type of plugin; we must not run ourselves. */
bool cni_conf_nests(struct jspan conf, const char *type);

#endif
