/* SPDX-License-Identifier: Apache-2.0 */
/* Where the API server is and who we are: a kubeconfig file, or the account of our own pod. */
#ifndef LIB_KUBE_CONFIG_H
#define LIB_KUBE_CONFIG_H

#include <stdbool.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"

struct io_limit;

/* Read only for others; every string is owned by the struct, NULL when unset. */
struct kube_config {
	char *source; /* the file's path, or "in-cluster": named in errors */
	char *server; /* "https://10.0.0.1:6443", a path may follow, never a slash at the end */
	char *tls_server_name; /* verify the server's certificate for this name instead */
	char *ca_pem; /* trust these authorities only; NULL = the system's, see kube_config_system_ca() */
	char *cert_pem;               /* client certificate and */
	char *key_pem;                /* its key: both or neither */
	char *token;                  /* as it was when loaded */
	char *token_file;             /* where to read it again */
	char *namespace;              /* of the context or the pod; NULL when none is named */
	bool insecure;                /* insecure-skip-tls-verify */
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

/**
 * kube_config_in_cluster - the pod's service account: KUBERNETES_SERVICE_HOST and _PORT, and
 * token, ca.crt and namespace below /var/run/secrets/kubernetes.io/serviceaccount.
 *
 * The caller frees *out. ERR_CONFIG when a variable is missing or malformed, ERR_IO, ERR_DECODE.
 */
int kube_config_in_cluster(struct kube_config **out, struct err *e) FN_MUST;

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
