/* SPDX-License-Identifier: Apache-2.0 */
/* The data-plane part that a MacvlanSubnet and a MacvlanIP share: what the second card looks like. */
#ifndef API_NETWORK_H
#define API_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"
#include "lib/base/ip.h"
#include "lib/nl/link_type.h"

struct jval;
struct jw;

#define API_GROUP                    "tandem-cni.io"
#define API_VERSION                  "v1"
#define API_GROUP_VERSION            API_GROUP "/" API_VERSION
#define API_PLURAL_SUBNET            "macvlansubnets"
#define API_PLURAL_IP                "macvlanips"
#define API_KIND_SUBNET              "MacvlanSubnet"
#define API_KIND_IP                  "MacvlanIP"
#define API_FINALIZER_ADDRESS        "tandem-cni.io/address"
#define API_FINALIZER_IN_USE         "tandem-cni.io/in-use"
#define API_LABEL_NODE               "tandem-cni.io/node"
#define API_LABEL_SUBNET             "tandem-cni.io/subnet"
#define API_DEFAULT_SYSTEM_NAMESPACE "kube-system"

#define API_MASTER_MAX  128 /* an altname's limit, with its NUL */
#define API_MASTER_TEXT (API_MASTER_MAX + 16)
#define API_ROUTES_MAX  256
#define API_CIDRS_MAX   16

/* What tells the NIC of a network. */
enum api_master_by {
	API_MASTER_BY_NAME = 0, /* spec.master; else a key of spec.masterSelector: */
	API_MASTER_BY_ADDRESS,
	API_MASTER_BY_MAC,
	API_MASTER_BY_DRIVER,
	API_MASTER_BY_PATTERN,
	API_MASTER_BYS
};

/* For switches whose default depends on something else. */
enum api_switch { API_SWITCH_UNSET = 0, API_SWITCH_OFF, API_SWITCH_ON };

struct api_route {
	struct ip_net dst; /* host bits cleared */
	struct ip_addr gw; /* unset: the subnet's gateway on eth1, the primary's on eth0 */
	bool onlink;       /* "gw: none": by no gateway */
	char iface[8];     /* "eth0" or "eth1", never empty (default "eth1") */
};

/* Each has its row in the table of network.c. */
struct api_network {
	/* NIC name, altname, or alias of the node's masters file; or what the selector's key says. */
	char master[API_MASTER_MAX];
	enum api_master_by master_by;
	uint16_t vlan; /* 0 = untagged */
	enum nl_type link_type;
	enum nl_mode mode; /* the effective one: the type's default where the object says nothing */
	uint32_t mtu;      /* 0 = the parent's */
	struct ip_addr
		gateway; /* of the cidr's family; in a MacvlanIP the effective one; may be unset */
	struct ip_addr gateway6;
	struct api_route *routes;
	size_t n_routes;
	bool pod_default_gateway;     /* gateway mode */
	struct ip_net *service_cidrs; /* podDefaultGateway.serviceCidr, a comma list in the object */
	size_t n_service_cidrs;
	enum api_switch host_access;        /* unset: on for a single card, else off */
	enum api_switch conflict_detection; /* a MacvlanIP always says on or off */
	/* What the subnet's administrator turns round for pods that need it; unset is the default. */
	enum api_switch forwarding;      /* the card forwards; default off */
	enum api_switch accept_ra;       /* "acceptRA": it hears routers; default off */
	enum api_switch require_carrier; /* default on */
};

/**
 * api_network_decode - read the shared keys of a spec.
 * @spec: the "spec" object; keys that are not ours are skipped
 * @path: where it stands, for errors ("spec")
 *
 * Out of a subnet gateway6 and accept_ra stay unset here (they are in spec.ipv6 there).
 * ERR_DECODE names the key that is wrong. The caller ends *out with api_network_done().
 */
int api_network_decode(const struct jval *spec, const char *path, struct api_network *out,
		       struct err *e) FN_MUST;

/**
 * api_network_write - the keys of a MacvlanIP's spec, into the object that w has open.
 * @patch: for a merge patch: what is absent is written as null
 */
void api_network_write(struct jw *w, const struct api_network *n, bool patch);

/**
 * api_network_services - the networks of Services: its own, and of a family of which it names none those of others.
 *
 * The caller frees the list; NULL when there are none.
 */
struct ip_net *api_network_services(const struct api_network *n, const struct ip_net *others,
				    size_t n_others, size_t *out_n);
/** api_network_names_services - it names one of that family itself. */
bool api_network_names_services(const struct api_network *n, uint8_t family);

/** api_network_eq - the two would give the same card. */
bool api_network_eq(const struct api_network *a, const struct api_network *b);
/** api_network_copy - *out becomes a copy of its own; what it held before is not freed. */
void api_network_copy(const struct api_network *n, struct api_network *out);
void api_network_done(struct api_network *n);
DEFINE_AUTO_VALUE(struct api_network, api_network_done)

/**
 * api_network_key - the key of the i-th field in a MacvlanIP's spec, or in a MacvlanSubnet's, where dots
 * lead into objects; NULL after the last.
 */
const char *api_network_key(size_t i, bool in_subnet);

#endif
