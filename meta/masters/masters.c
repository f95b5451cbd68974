/* SPDX-License-Identifier: Apache-2.0 */
#include "meta/masters/masters.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/master.h"
#include "api/network.h"
#include "lib/base/auto.h"
#include "lib/base/io.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/nl/nl.h"
#include "macvlan/macvlan.h"
#include "macvlan/nic.h"

#define FILE_MAX 65536

int masters_resolve(const char *file, const struct io_limit *limit, char *name, size_t size,
		    struct err *e)
{
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	AUTO(free) char *text = NULL;
	const char *nic = NULL;
	struct jval root;
	size_t len = 0;

	if (io_read_file_by(file, FILE_MAX, limit, &text, &len, e) < 0) {
		if (e->kind != ERR_IO || e->num != ENOENT)
			return -1;
		err_clear(e);
		return 0;
	}
	if (jdoc_parse(file, text, len, &doc, e) < 0)
		return -1;
	root = jdoc_root(doc);
	if (jas_obj(&root, e) < 0 || jget_str(&root, name, &nic, e) < 0)
		return -1;
	if (!nic)
		return 0;
	if (!*nic || str_copy(name, size, nic) < 0)
		return jerr(&root, name, e, ERR_CONFIG, "\"%.64s\" is not a name of a link", nic);
	return 0;
}

static enum macvlan_nic_by nic_by(enum api_master_by by)
{
	switch (by) {
	case API_MASTER_BY_MAC:
		return MACVLAN_NIC_MAC;
	case API_MASTER_BY_DRIVER:
		return MACVLAN_NIC_DRIVER;
	case API_MASTER_BY_PATTERN:
		return MACVLAN_NIC_PATTERN;
	default:
		return MACVLAN_NIC_ADDRESS;
	}
}

static int choose(const struct api_network *net, struct macvlan_card *card, struct err *e)
{
	char told[API_MASTER_TEXT], nic[IFNAMSIZ], host[65] = "";
	AUTO(nl_close) struct nl *nl = NULL;
	struct macvlan_nic_want want = {
		.by = nic_by(net->master_by),
		.text = net->master,
		.node = card->node && *card->node ? card->node : host,
		.told = api_master_text(net, told),
	};

	/* Both were read from the record as such. */
	if ((want.by == MACVLAN_NIC_ADDRESS && ip_net_parse(want.text, &want.net) < 0) ||
	    (want.by == MACVLAN_NIC_MAC && mac_parse(want.text, &want.mac) < 0))
		return err_set(e, ERR_DECODE, 0, "masterSelector %.160s", want.told);
	if (gethostname(host, sizeof(host) - 1) < 0)
		host[0] = '\0';
	if (nl_open(&nl, e) < 0 || macvlan_nic_find(nl, &want, nic, e) < 0)
		return -1;
	memcpy(card->master, nic, sizeof(nic));
	return 0;
}

int masters_choose(const struct api_network *net, const char *file, const struct io_limit *limit,
		   struct macvlan_card *card, struct err *e)
{
	if (net->master_by != API_MASTER_BY_NAME)
		return choose(net, card, e);
	return masters_resolve(file, limit, card->master, sizeof(card->master), e);
}

void masters_wrap(const struct api_network *net, const char *file, const struct macvlan_card *card,
		  struct err *e)
{
	char told[API_MASTER_TEXT];

	if (net->master_by != API_MASTER_BY_NAME && *card->master)
		err_wrap(e, "masterSelector %.160s finds \"%s\"", api_master_text(net, told),
			 card->master);
	else if (net->master_by == API_MASTER_BY_NAME && !str_eq(net->master, card->master))
		err_wrap(e, "master \"%s\" is \"%s\" by %s", net->master, card->master, file);
}
