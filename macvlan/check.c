/* SPDX-License-Identifier: Apache-2.0 */
#include "macvlan/check.h"

#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/nl/addr.h"
#include "lib/nl/link.h"
#include "lib/nl/nl.h"
#include "lib/nl/route.h"
#include "lib/nl/rule.h"
#include "macvlan/made.h"

/* So many things are named in an error; the rest is counted. */
#define TOLD_MAX 3

/* A line that must be true. */
struct line {
	char *text;
	size_t order;
	bool seen;
};

struct check {
	struct nl *pod;
	char *text;         /* the lines, cut apart */
	struct line *lines; /* sorted by text */
	size_t n;
	struct nl_link *links;
	size_t n_links;
	struct sb sb; /* the line of what was found last */
	struct sb links_text;
};

static void check_done(struct check *c)
{
	nl_close(c->pod);
	free(c->text);
	free(c->lines);
	free(c->links);
	sb_done(&c->sb);
	sb_done(&c->links_text);
}
DEFINE_AUTO_VALUE(struct check, check_done)

static int by_text(const void *a, const void *b)
{
	return strcmp(((const struct line *)a)->text, ((const struct line *)b)->text);
}

static void take_lines(struct check *c, const char *made)
{
	char *rest, *text;

	c->text = rest = xstrdup(made);
	while ((text = strsep(&rest, "\n"))) {
		if (!*text)
			continue;
		c->lines = xreallocarray(c->lines, c->n + 1, sizeof(*c->lines));
		c->lines[c->n] = (struct line){.text = text, .order = c->n};
		c->n++;
	}
	if (c->n)
		qsort(c->lines, c->n, sizeof(*c->lines), by_text);
}

/* What is in c->sb is there. The same line may be wanted twice. */
static void found(struct check *c)
{
	AUTO(free) char *text = NULL;
	char *rest, *one;

	text = rest = sb_take(&c->sb);
	while ((one = strsep(&rest, "\n"))) {
		const struct line key = {.text = one};
		struct line *l = NULL;

		if (*one && c->n)
			l = bsearch(&key, c->lines, c->n, sizeof(key), by_text);
		while (l && l > c->lines && by_text(l - 1, &key) == 0)
			l--;
		for (; l && l < c->lines + c->n && by_text(l, &key) == 0; l++)
			l->seen = true;
	}
}

static const char *link_name(const struct check *c, int index)
{
	size_t i;

	for (i = 0; i < c->n_links; i++) {
		if (c->links[i].index == index)
			return c->links[i].name;
	}
	return "";
}

static int look_links(struct check *c, struct err *e)
{
	size_t i;

	if (nl_link_list(c->pod, &c->links, &c->n_links, e) < 0)
		return err_wrap(e, "list the pod's links");
	for (i = 0; i < c->n_links; i++)
		made_link(&c->links[i], c->links[i].name, &c->links_text);
	sb_puts(&c->sb, sb_get(&c->links_text));
	found(c);
	return 0;
}

static int look_addrs(struct check *c, struct err *e)
{
	AUTO(free) struct nl_addr *v = NULL;
	size_t n = 0, i;

	if (nl_addr_list(c->pod, 0, &v, &n, e) < 0)
		return err_wrap(e, "list the pod's addresses");
	for (i = 0; i < n; i++)
		made_addr(&v[i].addr, link_name(c, v[i].index), &c->sb);
	found(c);
	return 0;
}

static int look_routes(struct check *c, struct err *e)
{
	AUTO(free) struct nl_route *v = NULL;
	size_t n = 0, i;

	if (nl_route_list(c->pod, 0, &v, &n, e) < 0)
		return err_wrap(e, "list the pod's routes");
	for (i = 0; i < n; i++) {
		if (v[i].table != RT_TABLE_LOCAL || v[i].type == RTN_MULTICAST)
			made_route(&v[i], link_name(c, v[i].oif), &c->sb);
	}
	found(c);
	return 0;
}

static int look_rules(struct check *c, struct err *e)
{
	AUTO(free) struct nl_rule *v = NULL;
	size_t n = 0, i;

	if (nl_rule_list(c->pod, &v, &n, e) < 0)
		return err_wrap(e, "list the pod's rules");
	for (i = 0; i < n; i++)
		made_rule(&v[i], &c->sb);
	found(c);
	return 0;
}

/* "link eth1 mtu 1500" -> the line of the same name and property that the kernel has, or NULL. */
static char *link_instead(const struct check *c, const char *wanted)
{
	const char *value = strrchr(wanted, ' ');
	AUTO(free) char *key = value ? xstrndup(wanted, (size_t)(value - wanted) + 1) : NULL;
	const char *line = sb_get(&c->links_text), *end;

	for (; key && *line; line = *end ? end + 1 : end) {
		end = strchrnul(line, '\n');
		if (str_starts(line, key))
			return xstrndup(line + strlen(key), (size_t)(end - line) - strlen(key));
	}
	return NULL;
}

/* What is wrong with this line. */
static void complain(const struct check *c, const char *wanted, struct sb *out)
{
	AUTO(free) char *instead = link_instead(c, wanted);
	const char *value = strrchr(wanted, ' ');

	if (!str_starts(wanted, "link ") || !value)
		sb_printf(out, "%s is missing", wanted);
	else if (!instead)
		sb_printf(out, "link %.*s is missing", (int)strcspn(wanted + 5, " "), wanted + 5);
	else
		sb_printf(out, "%.*s is %s instead of %s", (int)(value - wanted), wanted, instead,
			  value + 1);
}

static int by_order(const void *a, const void *b)
{
	size_t x = ((const struct line *)a)->order, y = ((const struct line *)b)->order;

	return (x > y) - (x < y);
}

/* Nothing else needs to be said of a link that is gone, or is another kind of thing by now. */
static bool is_all(const struct check *c, const char *line)
{
	AUTO(free) char *instead = link_instead(c, line);

	return str_starts(line, "link ") && (!instead || strstr(line, " kind "));
}

/* In the order of making: a link comes before what went with it. */
static int verdict(struct check *c, struct err *e)
{
	AUTO(sb_done) struct sb text = SB_INIT;
	size_t i, n = 0;

	if (c->n)
		qsort(c->lines, c->n, sizeof(*c->lines), by_order);
	for (i = 0; i < c->n; i++) {
		const char *line = c->lines[i].text;

		if (c->lines[i].seen)
			continue;
		if (n++ < TOLD_MAX) {
			sb_puts(&text, n > 1 ? "; " : "");
			complain(c, line, &text);
		}
		if (is_all(c, line))
			break;
	}
	if (!n)
		return 0;
	if (n > TOLD_MAX)
		sb_printf(&text, "; and %zu more", n - TOLD_MAX);
	return err_set(e, ERR_MISSING, 0, "%s", sb_get(&text));
}

int macvlan_check(int netns_fd, const char *made, struct err *e)
{
	AUTO(check_done) struct check c = {0};

	take_lines(&c, made);
	if (nl_open_in(netns_fd, &c.pod, e) < 0 || look_links(&c, e) < 0 || look_addrs(&c, e) < 0 ||
	    look_routes(&c, e) < 0 || look_rules(&c, e) < 0)
		return -1;
	return verdict(&c, e);
}

/* ------------------------------------------------------------------ a card of which little is known */

static int has_addr(struct nl *pod, const struct nl_link *l, struct err *e)
{
	AUTO(free) struct nl_addr *v = NULL;
	size_t n = 0, i;

	if (nl_addr_list(pod, l->index, &v, &n, e) < 0)
		return err_wrap(e, "list the pod's addresses");
	for (i = 0; i < n; i++) {
		if (v[i].scope < RT_SCOPE_LINK)
			return 0;
	}
	return err_set(e, ERR_MISSING, 0, "the address of %s is missing", l->name);
}

int macvlan_check_card(int netns_fd, const struct macvlan_check_card *card, struct err *e)
{
	AUTO(nl_close) struct nl *pod = NULL;
	char is[MAC_ADDR_LEN], want[MAC_ADDR_LEN];
	struct nl_link l = {0};
	const struct nl_link_type *type;
	int rc;

	if (nl_open_in(netns_fd, &pod, e) < 0)
		return -1;
	rc = nl_link_find(pod, card->ifname, &l, e);
	if (rc < 0)
		return err_wrap(e, "look for %s in the pod", card->ifname);
	type = rc > 0 ? nl_link_type_find(l.kind) : NULL;
	if (!type)
		return card->optional
			       ? 0
			       : err_set(e, ERR_MISSING, 0, "link %s is missing", card->ifname);
	if (card->mac && type->own_mac && !mac_eq(card->mac, &l.mac))
		return err_set(e, ERR_MISSING, 0, "link %s mac is %s instead of %s", l.name,
			       mac_format(&l.mac, is), mac_format(card->mac, want));
	if (!(l.flags & IFF_UP))
		return err_set(e, ERR_MISSING, 0, "link %s state is down instead of up", l.name);
	return has_addr(pod, &l, e);
}
