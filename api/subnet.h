/* SPDX-License-Identifier: Apache-2.0 */
/* MacvlanSubnet: an operator's network, and what the controller says about it. */
#ifndef API_SUBNET_H
#define API_SUBNET_H

#include "api/meta.h"
#include "api/network.h"

#define API_RANGES_MAX          256
#define API_EXCLUDE_MAX         4096
#define API_SELECTOR_MAX        64
#define API_DELAY_REUSE_DEFAULT 60
#define API_DELAY_REUSE_MAX     216000
#define API_MAX_PER_NS_MAX      1000000

struct api_range {
	struct ip_addr start; /* both ends belong to it */
	struct ip_addr end;
};

enum api_selector_op {
	API_SELECTOR_IN,
	API_SELECTOR_NOT_IN,
	API_SELECTOR_EXISTS,
	API_SELECTOR_ABSENT
};

struct api_selector_term {
	char *key;
	enum api_selector_op op;
	char **values;
	size_t n_values;
};

/* A LabelSelector; all terms must hold, so an empty one selects everything. */
struct api_selector {
	bool given;
	struct api_selector_term *terms;
	size_t n_terms;
};

struct api_label {
	char *key;
	char *value;
};

/* One family of a subnet. */
struct api_family {
	struct ip_net cidr;     /* host bits cleared */
	struct ip_addr gateway; /* effective; unset where the CIDR has no room for one */
	bool gateway_given;
	struct api_range *ranges;
	size_t n_ranges;
};

struct api_subnet {
	struct api_meta meta;
	struct api_network network; /* gateway, gateway6 and mode are the effective ones */
	struct api_family v;        /* spec.cidr, either family */
	struct api_family v6;       /* spec.ipv6; cidr unset when absent */
	struct api_range *exclude;  /* a single address is a range of one */
	size_t n_exclude;
	uint32_t delay_reuse_s;
	uint32_t max_per_ns; /* cards that one namespace may have; 0 = no limit */
	bool allow_any_mac;  /* also those that makers give to machines */
	struct api_selector allowed_namespaces;
	struct api_selector node_selector; /* on labels of the Node */
};

/**
 * api_subnet_decode - JSON to struct, and every rule that one subnet must keep by itself.
 *
 * Fails with ERR_CONFIG and the path of the first bad field ("spec.ranges[1].rangeEnd: ...") when the
 * spec breaks a rule, ERR_DECODE when metadata cannot be read. The caller frees *out. The
 * record in status is not read here.
 */
int api_subnet_decode(const struct jval *obj, struct api_subnet **out, struct err *e) FN_MUST;
void api_subnet_free(struct api_subnet *s);
DEFINE_AUTO(struct api_subnet, api_subnet_free)

/** api_selector_matches - do these labels satisfy it? One that is not given selects everything. */
bool api_selector_matches(const struct api_selector *s, const struct api_label *labels, size_t n);
/** api_selector_format - as kubectl would take it ("team=a,env in (x,y)"). Returns buf. */
char *api_selector_format(const struct api_selector *s, char *buf, size_t size);

#endif
