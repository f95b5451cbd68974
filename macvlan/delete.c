/* SPDX-License-Identifier: Apache-2.0 */
#include "macvlan/delete.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/child.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/nl/link.h"
#include "lib/nl/nl.h"
#include "lib/nl/route.h"
#include "lib/nl/rule.h"
#include "macvlan/macvlan.h"
#include "macvlan/temp.h"

struct macvlan_deletion {
	struct nl *pod;
	int *victims; /* indexes of links to go */
	size_t n_victims;
	pid_t child;      /* 0 = none */
	struct err first; /* of rules and tables; told once the links are gone */
};

void macvlan_deletion_free(struct macvlan_deletion *d)
{
	if (!d)
		return;
	if (d->child > 0)
		waitpid(d->child, NULL, WNOHANG);
	nl_close(d->pod);
	free(d->victims);
	free(d);
}

static bool is_victim(const struct nl_link *l, const char *ifname, const struct mac_addr *mac)
{
	const struct nl_link_type *type = nl_link_type_find(l->kind);

	if (!type)
		return false;
	/* A card that an ADD left behind before it had its name. */
	if (macvlan_is_temp_name(l->name))
		return true;
	return str_eq(l->name, ifname) && (!type->own_mac || !mac || mac_eq(mac, &l->mac));
}

static int find_victims(struct macvlan_deletion *d, const char *ifname, const struct mac_addr *mac,
			struct err *e)
{
	AUTO(free) struct nl_link *links = NULL;
	size_t n = 0, i;

	if (nl_link_list(d->pod, &links, &n, e) < 0)
		return err_wrap(e, "list the pod's links");
	for (i = 0; i < n; i++) {
		if (!is_victim(&links[i], ifname, mac))
			continue;
		d->victims = xreallocarray(d->victims, d->n_victims + 1, sizeof(*d->victims));
		d->victims[d->n_victims++] = links[i].index;
	}
	return 0;
}

static bool is_our_rule(const struct nl_rule *r)
{
	return (r->preference == MACVLAN_PREF_PRIMARY && r->table == MACVLAN_TABLE_PRIMARY) ||
	       (r->preference == MACVLAN_PREF_CARD && r->table == MACVLAN_TABLE_CARD);
}

static int delete_rules(struct nl *pod, struct err *e)
{
	AUTO(free) struct nl_rule *rules = NULL;
	size_t n = 0, i;

	if (nl_rule_list(pod, &rules, &n, e) < 0)
		return err_wrap(e, "list the pod's rules");
	for (i = 0; i < n; i++) {
		if (is_our_rule(&rules[i]) && nl_rule_delete(pod, &rules[i], e) < 0)
			return err_wrap(e, "remove a rule");
	}
	return 0;
}

static int delete_tables(struct nl *pod, struct err *e)
{
	AUTO(free) struct nl_route *routes = NULL;
	size_t n = 0, i;

	if (nl_route_list(pod, 0, &routes, &n, e) < 0)
		return err_wrap(e, "list the pod's routes");
	for (i = 0; i < n; i++) {
		if (routes[i].table != MACVLAN_TABLE_PRIMARY &&
		    routes[i].table != MACVLAN_TABLE_CARD)
			continue;
		if (nl_route_delete(pod, &routes[i], e) < 0)
			return err_wrap(e, "empty table %u", routes[i].table);
	}
	return 0;
}

/* All but the links: fast, and done by ourselves. A failure here does not spare the links. */
static int delete_prepare(int netns_fd, const char *ifname, const struct mac_addr *mac,
			  struct macvlan_deletion **out, struct err *e)
{
	AUTO(macvlan_deletion_free) struct macvlan_deletion *d = xcalloc(1, sizeof(*d));
	struct err tables = {0};

	if (nl_open_in(netns_fd, &d->pod, e) < 0 || find_victims(d, ifname, mac, e) < 0)
		return -1;
	if (delete_rules(d->pod, &d->first) < 0)
		IGNORE(delete_tables(d->pod, &tables), "the first error counts");
	else
		IGNORE(delete_tables(d->pod, &d->first), "told at the end");
	*out = STEAL(d);
	return 0;
}

static int delete_result(const struct macvlan_deletion *d, struct err *e)
{
	if (!d->first.kind)
		return 0;
	*e = d->first;
	return -1;
}

static int delete_links(struct macvlan_deletion *d, struct err *e)
{
	size_t i;

	for (i = 0; i < d->n_victims; i++) {
		if (nl_link_delete(d->pod, d->victims[i], e) < 0)
			return err_wrap(e, "remove the card");
	}
	return delete_result(d, e);
}

int macvlan_delete(int netns_fd, const char *ifname, const struct mac_addr *mac, struct err *e)
{
	AUTO(macvlan_deletion_free) struct macvlan_deletion *d = NULL;

	if (delete_prepare(netns_fd, ifname, mac, &d, e) < 0)
		return -1;
	return delete_links(d, e);
}

/* ------------------------------------------------------------------ without waiting */

struct dellink {
	struct nlmsghdr head;
	struct ifinfomsg ifi;
};

/*
 * The child. The process may have other threads, so that only system calls are allowed here. Each
 * send returns when the kernel is through with that link.
 */
static void __attribute__((noreturn)) delete_child(int fd, const int *victims, size_t n)
{
	size_t i;

	child_detach(&fd, 1);
	for (i = 0; i < n; i++) {
		struct dellink m = {
			.head = {.nlmsg_len = sizeof(m),
				 .nlmsg_type = RTM_DELLINK,
				 .nlmsg_flags = NLM_F_REQUEST},
			.ifi = {.ifi_index = victims[i]},
		};

		if (send(fd, &m, sizeof(m), 0) < 0)
			_exit(1);
	}
	_exit(0);
}

/* The child's socket is its own: answers must not mix. */
static int start_child(struct macvlan_deletion *d, const struct nl *childs, struct err *e)
{
	d->child = fork();
	if (d->child == 0)
		delete_child(nl_fd(childs), d->victims, d->n_victims);
	if (d->child < 0)
		return err_errno(e, ERR_IO, errno, "start a child");
	return 0;
}

int macvlan_delete_start(int netns_fd, const char *ifname, const struct mac_addr *mac,
			 struct macvlan_deletion **out, struct err *e)
{
	AUTO(macvlan_deletion_free) struct macvlan_deletion *d = NULL;
	AUTO(nl_close) struct nl *childs = NULL;

	if (delete_prepare(netns_fd, ifname, mac, &d, e) < 0)
		return -1;
	if (d->n_victims && (nl_open_in(netns_fd, &childs, e) < 0 || start_child(d, childs, e) < 0))
		return -1;
	*out = STEAL(d);
	return 0;
}

/* 1 all gone, 0 not yet, -1 error. */
static int all_gone(struct macvlan_deletion *d, struct err *e)
{
	struct nl_link l;
	size_t i;

	for (i = 0; i < d->n_victims; i++) {
		int rc = nl_link_get(d->pod, d->victims[i], &l, e);

		if (rc)
			return rc < 0 ? -1 : 0;
	}
	return 1;
}

static void child_check(struct macvlan_deletion *d)
{
	if (d->child > 0 && waitpid(d->child, NULL, WNOHANG) == d->child)
		d->child = 0;
}

int macvlan_delete_wait(struct macvlan_deletion *d, int64_t deadline_ms, struct err *e)
{
	int rc;

	while ((rc = all_gone(d, e)) == 0) {
		struct timespec pause = {.tv_nsec = 100000};

		if (!clock_left_ms(deadline_ms))
			return err_set(e, ERR_TIMEOUT, 0, "the card is still there");
		child_check(d);
		/* Ended, and yet a link is there: do it again here, where an error has a text. */
		if (!d->child)
			return delete_links(d, e);
		ppoll(NULL, 0, &pause, NULL);
	}
	return rc < 0 ? -1 : delete_result(d, e);
}

int macvlan_delete_own(int index, int64_t deadline_ms, struct err *e)
{
	AUTO(macvlan_deletion_free) struct macvlan_deletion *d = xcalloc(1, sizeof(*d));
	AUTO(nl_close) struct nl *childs = NULL;

	if (nl_open(&d->pod, e) < 0 || nl_open(&childs, e) < 0)
		return -1;
	d->victims = xcalloc(1, sizeof(*d->victims));
	d->victims[d->n_victims++] = index;
	if (start_child(d, childs, e) < 0)
		return -1;
	return macvlan_delete_wait(d, deadline_ms, e);
}
