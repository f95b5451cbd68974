/* SPDX-License-Identifier: Apache-2.0 */
#include "meta/attachment/strays.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/auto.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/nl/nl.h"
#include "macvlan/stray.h"
#include "macvlan/vlan.h"
#include "meta/attachment/state.h"
#include "meta/attachment/seats.h"

/* ------------------------------------------------------------------------------- hostAccess */

/* What the files tell of one device. */
struct told {
	const char *device, *boot_id;
	struct ip_addr *addrs;
	size_t n;
	bool names_device;
};

static void told_done(struct told *t)
{
	free(t->addrs);
}
DEFINE_AUTO_VALUE(struct told, told_done)

static void take(struct told *t, const struct state *s)
{
	size_t i;

	if (!s->host.parent || (s->boot_id && *t->boot_id && !str_eq(s->boot_id, t->boot_id)))
		return;
	if (str_eq(s->host.device, t->device))
		t->names_device = true;
	for (i = 0; i < ARRAY_SIZE(s->host.addrs); i++) {
		struct ip_addr addr;

		if (!s->host.addrs[i] || ip_parse(s->host.addrs[i], &addr) < 0)
			continue;
		t->addrs = xreallocarray(t->addrs, t->n + 1, sizeof(*t->addrs));
		t->addrs[t->n++] = addr;
	}
}

/* A damaged file tells nothing. If its pod lives the kernel shows its card. */
static int read_files(const struct state_dir *d, struct told *t, struct err *e)
{
	AUTO(fd) int fd = openat(state_dir_files(d), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(closedir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *ent;

	if (!dir)
		return err_errno(e, ERR_IO, errno, "list the state files");
	fd_steal(&fd);
	while ((errno = 0, ent = readdir(dir))) {
		AUTO(state_free) struct state *s = NULL;
		bool damaged = false;
		int rc = state_peek(d, ent->d_name, &s, &damaged, e);

		if (rc < 0)
			return -1;
		if (rc > 0)
			take(t, s);
	}
	return errno ? err_errno(e, ERR_IO, errno, "list the state files") : 0;
}

static int end_locked(const struct state_dir *d, const struct macvlan_stray_device *device,
		      const char *boot_id, struct err *e)
{
	AUTO(told_done) struct told t = {.device = device->name, .boot_id = boot_id};
	char text[24];
	size_t n = 0;

	if (read_files(d, &t, e) < 0)
		return -1;
	struct macvlan_stray_known known = {t.addrs, t.n, t.names_device};

	if (macvlan_stray_end(device, &known, &n, e) < 0)
		return -1;
	if (n) {
		snprintf(text, sizeof(text), "%zu", n);
		log_info("removed what lost state files had left on the node", "device",
			 device->name, "entries", text);
	}
	return 0;
}

/* Under the lock: an ADD writes its file first and its route then, a DEL the other way round. */
static int end_one(const struct state_dir *d, const struct macvlan_stray_device *device,
		   const char *boot_id, struct err *e)
{
	int lock = -1, rc;

	if (state_lock_parent(d, device->parent, clock_now_ms(), &lock, e) < 0) {
		if (e->kind != ERR_AGAIN)
			return -1;
		err_clear(e);
		return 0;
	}
	rc = end_locked(d, device, boot_id, e);
	state_unlock_parent(d, device->parent, &lock);
	return rc;
}

/* ------------------------------------------------------------------------------- VLANs */

/* 1 somebody has a seat there, or is just taking one; 0; -1. *out is the lock where there is nobody. */
static int is_taken(const struct state_dir *d, const char *parent, struct seats **out,
		    struct err *e)
{
	AUTO(seats_close) struct seats *u = NULL;
	static char none[] = "";
	const struct state nobody = {.container_id = none, .ifname = none};
	struct seat who;
	int rc;

	if (seats_open(d, parent, clock_now_ms(), &u, e) < 0) {
		if (e->kind != ERR_AGAIN)
			return -1;
		err_clear(e);
		return 1;
	}
	rc = seats_other(u, &nobody, &who, e);
	if (rc == 0)
		*out = STEAL(u);
	return rc;
}

/* Whether a card sits on it all the same the kernel is asked, as when its last user leaves. */
static int end_vlan(const struct state_dir *d, struct nl *host, const struct macvlan_vlan *v,
		    struct err *e)
{
	AUTO(seats_close) struct seats *lock = NULL;
	int rc = is_taken(d, v->name, &lock, e);

	if (rc == 0) {
		rc = macvlan_vlan_remove(host, v, NULL, clock_now_ms(), e);
		if (rc > 0)
			log_info("removed an unused VLAN", "vlan", v->name);
	}
	return rc < 0 ? -1 : 0;
}

static int end_vlans(const struct state_dir *d, struct err *e)
{
	AUTO(nl_close) struct nl *host = NULL;
	AUTO(free) struct macvlan_vlan *v = NULL;
	size_t n = 0, i;

	if (nl_open(&host, e) < 0 || macvlan_vlan_list(host, &v, &n, e) < 0)
		return err_wrap(e, "look for VLANs");
	for (i = 0; i < n; i++) {
		if (end_vlan(d, host, &v[i], e) < 0)
			return -1;
	}
	return 0;
}

/* ------------------------------------------------------------------------------- all of it */

static int end_access(const struct state_dir *d, struct err *e)
{
	AUTO(free) struct macvlan_stray_device *devices = NULL;
	AUTO(free) char *boot_id = NULL;
	size_t n = 0, i;

	if (macvlan_stray_devices(&devices, &n, e) < 0)
		return -1;
	boot_id = n ? state_boot_id() : NULL;
	for (i = 0; i < n; i++) {
		if (end_one(d, &devices[i], boot_id, e) < 0)
			return -1;
	}
	return 0;
}

static int end_seats(const struct state_dir *d, struct err *e)
{
	char text[24];
	size_t n = 0;
	int rc = seats_end_lost(d, &n, e);

	snprintf(text, sizeof(text), "%zu", n);
	if (n)
		log_info("removed seats without a state file", "seats", text);
	return rc;
}

/* The VLANs last: a device of hostAccess holds the one below it, and so does a seat. */
int strays_end(const struct state_dir *d, struct err *e)
{
	return end_access(d, e) < 0 || end_seats(d, e) < 0 || end_vlans(d, e) < 0 ? -1 : 0;
}
