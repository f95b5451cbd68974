/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credential plugins of users' kubeconfigs (users[].user.exec): a program that prints who the user is. Only for
 * programs that a user starts with his own rights; see struct kube_config_wish.
 */
#ifndef LIB_KUBE_PLUGIN_H
#define LIB_KUBE_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"

struct kube_config;
struct yaml_at;

#define KUBE_PLUGIN_ARGS_MAX 256

enum kube_plugin_stdin { KUBE_STDIN_NEVER = 0, KUBE_STDIN_IF_TERMINAL, KUBE_STDIN_ALWAYS };

/* What a kubeconfig says of it. */
struct kube_plugin {
	char *where;         /* file and key, for errors */
	char *api_version;   /* "client.authentication.k8s.io/v1" or v1beta1 */
	char *command;       /* a path, or a name that is looked for in PATH */
	char **argv;         /* of the program: command, args, NULL */
	char **env;          /* "NAME=value" beside the user's own, ended by NULL */
	char *hint;          /* installHint */
	char *cluster;       /* JSON for provideClusterInfo, else NULL */
	char *const *around; /* the user's environment, ended by NULL; lent */
	enum kube_plugin_stdin input;
};

/* What it printed. Unset: NULL, 0. */
struct kube_credential {
	char *token;
	char *cert_pem, *key_pem;
	int64_t expires_s; /* seconds since 1970; 0 = not said */
};

/**
 * kube_plugin_decode - read users[].user.exec.
 * @cfg: server and authorities of the cluster are read, for provideClusterInfo
 * @around: see struct kube_plugin
 *
 * ERR_CONFIG, ERR_UNSUPPORTED (another API version) with file and key. The caller frees *out.
 */
int kube_plugin_decode(const struct yaml_at *exec, const struct kube_config *cfg,
		       char *const *around, struct kube_plugin **out, struct err *e) FN_MUST;
void kube_plugin_free(struct kube_plugin *p);
DEFINE_AUTO(struct kube_plugin, kube_plugin_free)
/** kube_plugin_copy - one of its own; NULL of NULL. */
struct kube_plugin *kube_plugin_copy(const struct kube_plugin *p);

/**
 * kube_credential_parse - an ExecCredential. No I/O.
 *
 * ERR_DECODE; ERR_CONFIG where it is of another version than was asked for, or has neither token nor certificate.
 */
int kube_credential_parse(const struct kube_plugin *p, const char *text, size_t len,
			  struct kube_credential *out, struct err *e) FN_MUST;

/**
 * kube_plugin_run - run it and read what it prints.
 *
 * Its standard error is ours; its standard input is ours where the kubeconfig says so and it is a terminal. It may ask
 * its user, so it has until the deadline, and is killed then. ERR_NOT_FOUND with the installHint, ERR_DELEGATE (its
 * status is not 0), ERR_TIMEOUT, ERR_IO, errors of kube_credential_parse().
 */
int kube_plugin_run(const struct kube_plugin *p, int64_t deadline_ms, struct kube_credential *out,
		    struct err *e) FN_MUST;

/** kube_credential_done - free it; token and key are wiped first. */
void kube_credential_done(struct kube_credential *c);
DEFINE_AUTO_VALUE(struct kube_credential, kube_credential_done)

#endif
