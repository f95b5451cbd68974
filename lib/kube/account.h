/* SPDX-License-Identifier: Apache-2.0 */
/* Who the client is: its token and certificate, renewed as they age. For client.c and http.c. */
#ifndef LIB_KUBE_ACCOUNT_H
#define LIB_KUBE_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kube_config;
struct kube_plugin;

struct kube_account {
	char *token, *cert_pem, *key_pem; /* NULL = none */
	char **impersonate;               /* header lines, ended by NULL; NULL = none */
	char *token_file;
	struct kube_plugin *plugin;
	int64_t read_ms;   /* when the file was last read */
	int64_t expires_s; /* of what the plugin gave, seconds since 1970; 0 = not said */
	int cancel_fd;     /* ends a wait for the file; -1 = none */
};

void kube_account_init(struct kube_account *a, const struct kube_config *cfg);
/** kube_account_done - free what it has; token and key are wiped first. */
void kube_account_done(struct kube_account *a);

/** kube_account_can_renew - there is somewhere to get a new one from. */
bool kube_account_can_renew(const struct kube_account *a);

/**
 * kube_account_renew - before a request: what is old is read again.
 * @refused: the server has just refused what we have, so it is old
 *
 * What cannot be had leaves the old one: the server decides whether it still holds.
 */
void kube_account_renew(struct kube_account *a, bool refused);

#endif
