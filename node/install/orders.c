/* SPDX-License-Identifier: Apache-2.0 */
#include "node/install/orders.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/ip.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"

/* As the plugin has it (lib/cni/conf.c). */
#define DEADLINE_MAX_S 29
#define VALUE_MAX      4096

static const char *const names[ORDERS_KEYS] = {
	[ORDERS_CLUSTER_CIDR] = "clusterCIDR", [ORDERS_SERVICE_CIDR] = "serviceCIDR",
	[ORDERS_VIA_PRIMARY] = "viaPrimary",   [ORDERS_LOG_LEVEL] = "logLevel",
	[ORDERS_DEADLINE] = "deadlineSeconds",
};

/* Of use to others, and not to a node. */
static const char *const others[] = {"clusterDNS"};

void orders_done(struct orders *f)
{
	for (size_t i = 0; i < ORDERS_KEYS; i++)
		free(f->v[i]);
	free(f->doctor);
	*f = (struct orders){0};
}

const char *orders_key_name(enum orders_key key)
{
	return names[key];
}

static bool is_net(const char *s)
{
	struct ip_addr addr;
	struct ip_net net;

	return ip_net_parse(s, &net) == 0 || ip_parse(s, &addr) == 0;
}

static bool are_nets(const char *value)
{
	AUTO(free) char *copy = xstrdup(value);
	char *rest = copy, *item;

	while ((item = strsep(&rest, ","))) {
		item += strspn(item, " ");
		item[strcspn(item, " ")] = '\0';
		if (!is_net(item))
			return false;
	}
	return true;
}

static bool is_usable(enum orders_key key, const char *value)
{
	enum log_level level;
	uint32_t n;

	if (key == ORDERS_LOG_LEVEL)
		return log_level_parse(value, &level) == 0;
	if (key == ORDERS_DEADLINE)
		return parse_u32(value, DEADLINE_MAX_S, &n) == 0 && n > 0;
	return strlen(value) <= VALUE_MAX && are_nets(value);
}

int orders_set(struct orders *f, enum orders_key key, const char *value)
{
	if (value && !*value)
		value = NULL;
	if (value && !is_usable(key, value))
		return -1;
	free(f->v[key]);
	f->v[key] = xstrdup(value);
	return 0;
}

static bool is_known(const char *key)
{
	for (size_t i = 0; i < ORDERS_KEYS; i++) {
		if (str_eq(key, names[i]))
			return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (str_eq(key, others[i]))
			return true;
	}
	return str_eq(key, "uninstall") || str_eq(key, ORDERS_DOCTOR);
}

static void tell_unknown(const struct jval *data)
{
	struct jiter it = jiter_of(data);
	struct jval v;

	while (jiter_next(&it, &v)) {
		if (!is_known(v.key))
			log_warn("unknown key in the ConfigMap", "configmap", ORDERS_CONFIGMAP,
				 "key", v.key);
	}
}

/* Only the very word removes anything. */
static void read_uninstall(const struct jval *data, struct orders *f)
{
	const char *value = "";
	struct err e = {0};

	if (jget_str(data, "uninstall", &value, &e) < 0)
		value = "?";
	if (*value && !str_eq(value, "true") && !str_eq(value, "false"))
		log_warn("key of the ConfigMap is neither true nor false", "configmap",
			 ORDERS_CONFIGMAP, "key", "uninstall", "value", value);
	f->uninstall = str_eq(value, "true");
}

static void read_doctor(const struct jval *data, struct orders *f)
{
	const char *text = NULL;
	struct err ignored = {0};

	IGNORE(data->node && jget_str(data, ORDERS_DOCTOR, &text, &ignored) < 0, "none is told");
	if (str_eq(text, f->doctor))
		return;
	free(f->doctor);
	f->doctor = xstrdup(text);
	f->doctors++;
}

int orders_read(const struct jval *configmap, struct orders *f, struct err *e)
{
	struct jval data = {0};

	if (jas_obj(configmap, e) < 0 || jget_obj(configmap, "data", &data, e) < 0)
		return -1;
	for (size_t i = 0; i < ORDERS_KEYS; i++) {
		const char *value = NULL;
		struct err wrong = {0};

		if (data.node && jget_str(&data, names[i], &value, &wrong) < 0)
			value = "?";
		if (orders_set(f, (enum orders_key)i, value) < 0)
			log_warn("key of the ConfigMap cannot be used; what was known before holds",
				 "configmap", ORDERS_CONFIGMAP, "key", names[i], "value", value);
	}
	read_doctor(&data, f);
	f->uninstall = false;
	if (data.node)
		read_uninstall(&data, f);
	tell_unknown(&data);
	return 0;
}
