/* SPDX-License-Identifier: Apache-2.0 */
/* CNI results of every version, read into one shape and written in any version. */
#ifndef LIB_CNI_RESULT_H
#define LIB_CNI_RESULT_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"
#include "lib/base/ip.h"
#include "lib/cni/version.h"
#include "lib/json/jscan.h"

struct sb;

/* Strings are owned by the result, NULL when absent. */
struct cni_interface {
	char *name;
	char *mac;
	char *sandbox; /* NULL or "": an interface of the host */
	int mtu;       /* from here on 1.1.0 only; 0 = absent */
	char *socket_path;
	char *pci_id;
};

struct cni_ip {
	struct ip_net address;
	struct ip_addr gateway; /* family 0 = none */
	int interface;          /* index into interfaces, -1 = not bound to one */
};

struct cni_route {
	struct ip_net dst;
	struct ip_addr gw; /* family 0 = none */
	/* 1.1.0 only; -1 = absent */
	long long mtu, advmss, priority, table, scope;
};

struct cni_strings {
	char **v;
	size_t n;
};

struct cni_result {
	enum cni_version version; /* that it was read in */
	struct cni_interface *interfaces;
	size_t n_interfaces;
	struct cni_ip *ips;
	size_t n_ips;
	struct cni_route *routes;
	size_t n_routes;
	struct cni_strings nameservers, search, options; /* dns */
	char *domain;
};

/** cni_result_new - an empty one. The adders copy their strings; indices follow the additions. */
struct cni_result *cni_result_new(void);
void cni_result_free(struct cni_result *r);
DEFINE_AUTO(struct cni_result, cni_result_free)
size_t cni_result_add_interface(struct cni_result *r, const char *name, const char *mac,
				const char *sandbox);
void cni_result_add_ip(struct cni_result *r, const struct ip_net *address,
		       const struct ip_addr *gateway, int interface);
void cni_result_add_route(struct cni_result *r, const struct ip_net *dst, const struct ip_addr *gw);

/**
 * cni_result_parse - read a result of 0.1.0 to 1.1.0.
 * @what: named in errors ("bridge", "prevResult")
 * @fallback: the version when the result names none
 *
 * "null" and no bytes at all give an empty result. As libcni's: names in any case, null for an element of a list, any
 * number for an interface's index. ERR_DECODE: not JSON, wrong types, addresses that are none; ERR_VERSION: a version
 * that is not known.
 */
int cni_result_parse(const char *what, struct jspan text, enum cni_version fallback,
		     struct cni_result **out, struct err *e) FN_MUST;

/**
 * cni_result_write - append the result as JSON of that version.
 *
 * What the version does not know is left out: below 1.1.0 mtu, socketPath, pciID and the routes'
 * extras; from 1.0.0 on the ips' "version" and an empty dns; below 0.3.0 interfaces and all addresses of a
 * family but the first. ERR_VERSION: below 0.3.0, a result without any address.
 */
int cni_result_write(const struct cni_result *r, enum cni_version v, struct sb *out,
		     struct err *e) FN_MUST;

/** cni_result_find_interface - index of the interface of that name in that sandbox, -1 if none. */
int cni_result_find_interface(const struct cni_result *r, const char *sandbox, const char *name);

#endif
