#include "api/card.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/auto.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/json/jscan.h"

static bool read_string(struct jspan entry, const char *key, char **out)
{
	struct jspan v;

	if (!jspan_find(entry, key, &v) || jspan_type(v) != JTYPE_STRING)
		return false;
	free(*out);
	*out = jspan_decode(v);
	return true;
}

/* "<ns>/<subnet>" */
static bool read_network(struct jspan entry, const char *subnet, char *ns, size_t size)
{
	AUTO(free) char *name = NULL;
	char *slash;

	if (!read_string(entry, "name", &name))
		return false;
	slash = strchr(name, '/');
	if (!slash || !str_eq(slash + 1, subnet))
		return false;
	*slash = '\0';
	return str_copy(ns, size, name) == 0;
}

static size_t read_addresses(struct jspan entry, struct ip_addr *out, size_t max)
{
	struct jspan list, item;
	size_t n = 0;

	if (!jspan_find(entry, "ips", &list) || jspan_type(list) != JTYPE_ARRAY)
		return 0;
	for (struct jspan_iter it = jspan_begin(list); n < max && jspan_next_element(&it, &item);) {
		AUTO(free)
		char *text = jspan_type(item) == JTYPE_STRING ? jspan_decode(item) : NULL;

		n += text && ip_parse(text, &out[n]) == 0;
	}
	return n;
}

static bool read_card(struct jspan entry, const char *subnet, struct api_pod_card *out)
{
	AUTO(free) char *mac = NULL;

	if (jspan_type(entry) != JTYPE_OBJECT ||
	    !read_network(entry, subnet, out->ns, sizeof(out->ns)) ||
	    !read_addresses(entry, out->ips, ARRAY_SIZE(out->ips)))
		return false;
	if (read_string(entry, "mac", &mac))
		IGNORE(mac_parse(mac, &out->mac), "what is no MAC stays unset");
	return true;
}

struct api_pod_card *api_pod_card_parse(const char *text, const char *subnet)
{
	struct jspan list = jspan_of(text), entry;
	struct err ignored = {0};

	if (!subnet || jscan_check("network-status", list, JSCAN_BIG_INTS, &ignored) < 0 ||
	    jspan_type(list) != JTYPE_ARRAY)
		return NULL;
	for (struct jspan_iter it = jspan_begin(list); jspan_next_element(&it, &entry);) {
		struct api_pod_card card = {.mac = {{0}}};

		if (read_card(entry, subnet, &card))
			return xmemdup(&card, sizeof(card));
	}
	return NULL;
}
