/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/nl/link_type.h"

#include <linux/if_link.h>

#include "lib/base/str.h"

static const struct nl_link_type types[NL_TYPES] = {
	[NL_TYPE_MACVLAN] = {.kind = "macvlan",
			     .article = "a",
			     .first = NL_MODE_BRIDGE,
			     .last = NL_MODE_PASSTHRU,
			     .mode_attr = IFLA_MACVLAN_MODE,
			     .mode_size = sizeof(uint32_t),
			     .own_mac = true,
			     .probes = true},
	/* Answers to a probe have no target that the kernel could find the card by. */
	[NL_TYPE_IPVLAN] = {.kind = "ipvlan",
			    .article = "an",
			    .first = NL_MODE_L2,
			    .last = NL_MODE_L3S,
			    .mode_attr = IFLA_IPVLAN_MODE,
			    .mode_size = sizeof(uint16_t),
			    .one_mode = true},
};

static const struct nl_link_mode modes[NL_MODES] = {
	[NL_MODE_BRIDGE] = {.name = "bridge",
			    .type = NL_TYPE_MACVLAN,
			    .kernel = MACVLAN_MODE_BRIDGE,
			    .sort = "macvlan",
			    .meets_host = true},
	[NL_MODE_PRIVATE] = {.name = "private",
			     .type = NL_TYPE_MACVLAN,
			     .kernel = MACVLAN_MODE_PRIVATE,
			     .sort = "macvlan"},
	[NL_MODE_VEPA] = {.name = "vepa",
			  .type = NL_TYPE_MACVLAN,
			  .kernel = MACVLAN_MODE_VEPA,
			  .sort = "macvlan"},
	[NL_MODE_PASSTHRU] = {.name = "passthru",
			      .type = NL_TYPE_MACVLAN,
			      .kernel = MACVLAN_MODE_PASSTHRU,
			      .sort = "macvlan passthru",
			      .alone = true},
	[NL_MODE_L2] = {.name = "l2",
			.type = NL_TYPE_IPVLAN,
			.kernel = IPVLAN_MODE_L2,
			.sort = "ipvlan l2"},
	[NL_MODE_L3] = {.name = "l3",
			.type = NL_TYPE_IPVLAN,
			.kernel = IPVLAN_MODE_L3,
			.sort = "ipvlan l3",
			.routed = true},
	[NL_MODE_L3S] = {.name = "l3s",
			 .type = NL_TYPE_IPVLAN,
			 .kernel = IPVLAN_MODE_L3S,
			 .sort = "ipvlan l3s",
			 .routed = true},
};

const struct nl_link_type *nl_link_type_get(enum nl_type type)
{
	return &types[type];
}

const struct nl_link_mode *nl_link_mode_get(enum nl_mode mode)
{
	return &modes[mode];
}

const struct nl_link_type *nl_link_type_of(enum nl_mode mode)
{
	return &types[modes[mode].type];
}

const struct nl_link_type *nl_link_type_find(const char *kind)
{
	for (size_t i = 0; i < NL_TYPES; i++) {
		if (str_eq(types[i].kind, kind))
			return &types[i];
	}
	return NULL;
}

const struct nl_link_mode *nl_link_mode_find(const struct nl_link_type *type, const char *name)
{
	for (size_t i = type->first; i <= (size_t)type->last; i++) {
		if (str_eq(modes[i].name, name))
			return &modes[i];
	}
	return NULL;
}

const struct nl_link_mode *nl_link_mode_find_sort(const char *sort)
{
	for (size_t i = 0; i < NL_MODES; i++) {
		if (str_eq(modes[i].sort, sort))
			return &modes[i];
	}
	return NULL;
}

enum nl_type nl_link_type_number(const struct nl_link_type *type)
{
	return (enum nl_type)(type - types);
}

enum nl_mode nl_link_mode_number(const struct nl_link_mode *mode)
{
	return (enum nl_mode)(mode - modes);
}
