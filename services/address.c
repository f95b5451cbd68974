/* SPDX-License-Identifier: Apache-2.0 */
#include "services/address.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"

#define BACKENDS_MAX 1024 /* of one list by hand */

static int read_proto(char *text, uint8_t *out)
{
	char *slash = strchr(text, '/');

	*out = 0;
	if (!slash)
		return 0;
	*slash = '\0';
	if (str_eq(slash + 1, "tcp"))
		*out = IPPROTO_TCP;
	else if (str_eq(slash + 1, "udp"))
		*out = IPPROTO_UDP;
	else
		return -1;
	return 0;
}

static int split_port(char *text, char **out_port)
{
	char *colon = strrchr(text, ':');

	if (!colon)
		return -1;
	*colon = '\0';
	*out_port = colon + 1;
	return 0;
}

/* "[...]" is IPv6 and nothing else is. */
static int read_ip(char *text, struct ip_addr *out)
{
	size_t n = strlen(text);
	bool brackets = n > 2 && text[0] == '[' && text[n - 1] == ']';

	if (brackets) {
		text[n - 1] = '\0';
		text++;
	}
	if (ip_parse(text, out) < 0 || (out->family == AF_INET6) != brackets)
		return -1;
	return brackets && IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)(const void *)out->b) ? -1
											       : 0;
}

int address_read(const char *text, struct table_endpoint *out, uint8_t *out_proto, struct err *e)
{
	AUTO(free) char *copy = xstrdup(text);
	struct ip_addr ip = {0};
	uint32_t port = 0;
	uint8_t proto = 0;
	char *digits;

	if ((out_proto && read_proto(copy, &proto) < 0) || split_port(copy, &digits) < 0 ||
	    parse_u32(digits, 65535, &port) < 0 || !port || read_ip(copy, &ip) < 0)
		return err_set(e, ERR_CONFIG, 0, "\"%s\" is not IP:PORT%s (IPv6: [IP]:PORT)", text,
			       out_proto ? "[/tcp|/udp]" : "");
	*out = (struct table_endpoint){.addr = ip, .port = (uint16_t)port};
	if (out_proto)
		*out_proto = proto;
	return 0;
}

int address_read_list(const char *text, uint8_t family, struct table_endpoint **out, size_t *out_n,
		      struct err *e)
{
	AUTO(free) char *copy = xstrdup(text);
	AUTO(free) struct table_endpoint *v = xcalloc(BACKENDS_MAX, sizeof(*v));
	char *save = NULL, *word;
	size_t n = 0;

	for (word = strtok_r(copy, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		if (n == BACKENDS_MAX)
			return err_set(e, ERR_CONFIG, 0, "more than %d backends", BACKENDS_MAX);
		if (address_read(word, &v[n], NULL, e) < 0)
			return -1;
		if (v[n++].addr.family != family)
			return err_set(e, ERR_CONFIG, 0, "%s is not of the Service's family", word);
	}
	*out = STEAL(v);
	*out_n = n;
	return 0;
}

void address_print(const struct table_endpoint *a, struct sb *out)
{
	char ip[IP_ADDR_LEN];

	sb_printf(out, a->addr.family == AF_INET6 ? "[%s]:%u" : "%s:%u", ip_format(&a->addr, ip),
		  a->port);
}
