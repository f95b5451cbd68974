/* SPDX-License-Identifier: Apache-2.0 */
/* Where the API server is and who we are: a kubeconfig file, or the account of our own pod. */
#ifndef LIB_KUBE_CONFIG_H
#define LIB_KUBE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"

struct io_limit;
struct kube_plugin;

/* Read only for others; every string is owned by the struct, NULL when unset. */
struct kube_config {
	char *source; /* the file's path, or "in-cluster": named in errors */
	char *server; /* "https://10.0.0.1:6443", a path may follow, never a slash at the end */
	char *tls_server_name; /* verify the server's certificate for this name instead */
	char *ca_pem; /* trust these authorities only; NULL = the system's, see kube_config_system_ca() */
	char *cert_pem;   /* client certificate and */
	char *key_pem;    /* its key: both or neither */
	char *token;      /* as it was when loaded */
	char *token_file; /* where to read it again */
	char *namespace;  /* of the context or the pod; NULL when none is named */
	bool insecure;    /* insecure-skip-tls-verify */
	/* Of users' kubeconfigs, kube_config_load_for() alone: */
	char *proxy_url; /* "http://proxy:3128" */
	char *no_proxy;  /* hosts that need no proxy, a comma list; NULL = all need it */
	char *as, *as_uid, **as_groups; /* whom to act as */
	size_t n_as_groups;
	struct kube_plugin *plugin;   /* who gave token and certificate, to be asked again */
	int64_t expires_s;            /* of what it gave; 0 = not said */
	const struct io_limit *limit; /* of the load that is under way */
};

/**
 * kube_config_load_by - read a kubeconfig (YAML or JSON) and every file that it names.
 *
 * Uses current-context. Relative paths are relative to the kubeconfig's folder. The caller frees
 * *out. No file is waited for beyond the limit. ERR_IO (file missing, unreadable, no regular file), ERR_TIMEOUT, ERR_DECODE (not YAML, too large, not base64 or PEM),
 * ERR_CONFIG (entry missing or of the wrong type), ERR_UNSUPPORTED (exec, auth-provider, basic
 * auth, proxy-url, impersonation). Every text names the file and the key.
 */
int kube_config_load_by(const char *path, const struct io_limit *limit, struct kube_config **out,
			struct err *e) FN_MUST;

/** kube_config_load - kube_config_load_by() within IO_READ_MS for each file. */
int kube_config_load(const char *path, struct kube_config **out, struct err *e) FN_MUST;

#define KUBE_PLUGIN_MS        300000 /* a user may have to log in somewhere meanwhile */
#define KUBE_AS_GROUPS_MAX    256
#define KUBE_CONFIG_FILES_MAX 64

/* What a user asks for on the command line, and where his files are. NULL = not said. */
struct kube_config_wish {
	const char *file; /* --kubeconfig: this one alone */
	const char *
		list; /* KUBECONFIG: files with colons between them; those that are absent are passed over */
	const char *home;    /* where .kube/config is, when neither is given */
	const char *context; /* instead of current-context */
	const char *namespace;
	const char *as; /* instead of the user's own "as" and "as-groups" */
	const char *const *as_groups;
	size_t n_as_groups;
	bool run_plugins; /* run exec; without it a kubeconfig that has one is ERR_UNSUPPORTED */
	/* His environment: for credential plugins, and HTTPS_PROXY, NO_PROXY. Lent as long as clients live. */
	char *const *env;
};

/**
 * kube_config_load_for - as kubectl reads them, for a program that a user starts with his own rights.
 *
 * Of several files the first that has a context, cluster or user of that name counts, and the first current-context.
 * Knows exec (the program is run, if wished), as, as-uid, as-groups and proxy-url, which kube_config_load() refuses: whoever may
 * write a kubeconfig can have programs run by this. Errors as there, and of kube_plugin_run().
 */
int kube_config_load_for(const struct kube_config_wish *wish, struct kube_config **out,
			 struct err *e) FN_MUST;

/**
 * kube_config_in_cluster - the pod's service account: KUBERNETES_SERVICE_HOST and _PORT, and
 * token, ca.crt and namespace below /var/run/secrets/kubernetes.io/serviceaccount.
 *
 * The caller frees *out. ERR_CONFIG when a variable is missing or malformed, ERR_IO, ERR_DECODE.
 */
int kube_config_in_cluster(struct kube_config **out, struct err *e) FN_MUST;

/** kube_config_of - what --kubeconfig names; NULL = the account of the pod. Errors as of kube_config_load() and kube_config_in_cluster(). */
int kube_config_of(const char *path, struct kube_config **out, struct err *e) FN_MUST;

/** kube_config_in_cluster_at - the same with another folder than the usual one (tests). */
int kube_config_in_cluster_at(const char *dir, struct kube_config **out, struct err *e) FN_MUST;

/** kube_config_read_token - read a token file. *out_token is the caller's. ERR_DECODE, else as io_read_file_by(). */
int kube_config_read_token(const char *path, const struct io_limit *limit, char **out_token,
			   struct err *e) FN_MUST;

/**
 * kube_config_system_ca - the authorities that the machine trusts, as PEM. The caller frees *out_pem.
 *
 * Read here and not by a TLS library, which would wait for whatever stands in the file's place. ERR_CONFIG names the
 * places that have none.
 */
int kube_config_system_ca(char **out_pem, struct err *e) FN_MUST;

/** kube_config_free - free it; the key and the token are wiped first. */
void kube_config_free(struct kube_config *c);
DEFINE_AUTO(struct kube_config, kube_config_free)

#endif
