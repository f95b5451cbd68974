/* SPDX-License-Identifier: Apache-2.0 */
/* The network's fields, from one table: read, written, compared and copied. */
#include "api/network.h"

#include <string.h>

#include "api/network_field.h"
#include "lib/base/mem.h"
#include "lib/json/jread.h"
#include "lib/json/jwrite.h"

#define AT(member)                                      \
	.offset = offsetof(struct api_network, member), \
	.size = sizeof(((struct api_network *)0)->member)

/* In the order in which they are read and written: a mode comes after its link type. */
static const struct api_field fields[] = {
	{.key = "master", .type = &api_field_master, AT(master)},
	{.key = "masterSelector", .type = &api_field_master_selector, AT(master_by)},
	{.key = "vlan", .type = &api_field_number, AT(vlan), .max = 4094},
	{.key = "linkType", .type = &api_field_link_type, AT(link_type)},
	{.key = "mode", .type = &api_field_mode, AT(mode)},
	{.key = "mtu", .type = &api_field_number, AT(mtu), .or_zero = true, .min = 68, .max = 65535},
	{.key = "gateway", .type = &api_field_addr, AT(gateway)},
	{.key = "gateway6", .in_subnet = "ipv6.gateway", .type = &api_field_addr, AT(gateway6)},
	{.key = "routes", .type = &api_field_routes, AT(routes)},
	{.key = "podDefaultGateway", .type = &api_field_default_gateway, AT(pod_default_gateway)},
	{.key = "hostAccess", .type = &api_field_switch, AT(host_access)},
	{.key = "conflictDetection", .type = &api_field_switch, AT(conflict_detection)},
	{.key = "forwarding", .type = &api_field_switch, AT(forwarding)},
	{.key = "acceptRA", .in_subnet = "ipv6.acceptRA", .type = &api_field_switch, AT(accept_ra)},
	{.key = "requireCarrier", .type = &api_field_switch, AT(require_carrier)},
};

const char *api_network_key(size_t i, bool in_subnet)
{
	if (i >= ARRAY_SIZE(fields))
		return NULL;
	return in_subnet && fields[i].in_subnet ? fields[i].in_subnet : fields[i].key;
}

int api_network_decode(const struct jval *spec, const char *path, struct api_network *out,
		       struct err *e)
{
	AUTO(api_network_done) struct api_network n = {0};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const struct api_field_place place = {&fields[i], path};

		if (fields[i].type->read(spec, &place, &n, e) < 0)
			return -1;
	}
	*out = n;
	n = (struct api_network){0};
	return 0;
}

/* Without what is not asked for: the API server reads and writes each key, and its managedFields, some ten times. */
void api_network_write(struct jw *w, const struct api_network *n, bool patch)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const struct api_field *f = &fields[i];

		if (f->type->is_absent && f->type->is_absent(f, n))
			api_field_write_absent(w, f->key, patch);
		else
			f->type->write(w, f, n, patch);
	}
}

static bool field_eq(const struct api_field *f, const struct api_network *a,
		     const struct api_network *b)
{
	return f->type->eq ? f->type->eq(f, a, b)
			   : memcmp(api_field_in(a, f), api_field_in(b, f), f->size) == 0;
}

bool api_network_eq(const struct api_network *a, const struct api_network *b)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (!field_eq(&fields[i], a, b))
			return false;
	}
	return true;
}

void api_network_copy(const struct api_network *n, struct api_network *out)
{
	*out = *n;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (fields[i].type->own)
			fields[i].type->own(out);
	}
}

void api_network_done(struct api_network *n)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (fields[i].type->done)
			fields[i].type->done(n);
	}
}
