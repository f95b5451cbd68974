/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/rules/webhook_options.h"

#include <string.h>

#include "api/meta.h"
#include "lib/base/ip.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

#define HTTPS   "https://"
#define MIN_MS  5000
#define YEAR_MS (365 * 86400000LL)
#define MAX_MS  (100 * YEAR_MS)

struct webhook_options webhook_options_defaults(void)
{
	return (struct webhook_options){.cert_ms = YEAR_MS, .authority_ms = 10 * YEAR_MS};
}

/* The host of "https://host[:port]"; NULL if the URL is another. The caller frees it. */
static char *host_of(const char *url)
{
	const char *host = url + strlen(HTTPS), *end;
	AUTO(free) char *name = NULL;
	struct ip_addr addr;
	uint32_t port;

	if (!str_starts(url, HTTPS))
		return NULL;
	if (*host == '[') {
		end = strchr(++host, ']');
		if (!end)
			return NULL;
		name = xstrndup(host, (size_t)(end++ - host));
		if (ip_parse(name, &addr) < 0 || addr.family != AF_INET6)
			return NULL;
	} else {
		end = host + strcspn(host, ":/");
		name = xstrndup(host, (size_t)(end - host));
		if (!api_name_ok(name))
			return NULL;
	}
	if (*end == ':' && (parse_u32(end + 1, 65535, &port) < 0 || !port))
		return NULL;
	return !*end || *end == ':' ? STEAL(name) : NULL;
}

int webhook_options_check(struct webhook_options *o, bool in_cluster, struct err *e)
{
	AUTO(free) char *host = o->url ? host_of(o->url) : NULL;

	if (o->url && !host)
		return err_set(
			e, ERR_CONFIG, 0,
			"--webhook-url: \"%.200s\" must be https://HOST or https://HOST:PORT",
			o->url);
	if (o->service && !api_name_ok(o->service))
		return err_set(e, ERR_CONFIG, 0, "--webhook-service: \"%.200s\" is not a name",
			       o->service);
	if (o->cert_ms < MIN_MS || o->authority_ms > MAX_MS || o->authority_ms < 2 * o->cert_ms)
		return err_set(e, ERR_CONFIG, 0,
			       "--webhook-cert-duration must be at least 5s, "
			       "--webhook-authority-duration at least twice as long");
	if (!o->bind)
		o->bind = in_cluster || o->url || o->service ? WEBHOOK_DEFAULT_BIND : "";
	if (!o->service)
		o->service = WEBHOOK_DEFAULT_SERVICE;
	return 0;
}

bool webhook_options_is_on(const struct webhook_options *o)
{
	return *o->bind && !str_eq(o->bind, "0");
}

void webhook_names_done(struct webhook_names *n)
{
	for (size_t i = 0; i < n->n; i++)
		free(n->name[i]);
	*n = (struct webhook_names){0};
}

void webhook_options_names(const struct webhook_options *o, const char *ns,
			   struct webhook_names *out)
{
	*out = (struct webhook_names){0};
	out->name[out->n++] = xasprintf("%s.%s.svc", o->service, ns);
	out->name[out->n++] = xasprintf("%s.%s.svc.cluster.local", o->service, ns);
	if (o->url)
		out->name[out->n++] = host_of(o->url);
}
