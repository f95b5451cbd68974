/* SPDX-License-Identifier: Apache-2.0 */
#include "services/load/load.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/auto.h"
#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "services/bpf/object.h"
#include "services/decide/layout.h"
#include "services/load/bpffs.h"
#include "services/load/cgroup.h"
#include "services/load/hooks.h"

static const char *const maps[] = {"conf", "svc", "slot", "live",  "netns",
				   "sk",   "rev", "aff",  "learn", "stat"};

#define SAID_MAX 500 /* of libbpf, in one line of the log */

DEFINE_AUTO(struct bpf_object, bpf_object__close)

char *load_dir(const char *pins)
{
	return xasprintf("%s/v%d", pins, SERVICES_LAYOUT);
}

/* The end of what it says: the verifier gives its reason last. */
__attribute__((format(printf, 2, 0))) static int log_libbpf(enum libbpf_print_level level,
							    const char *format, va_list args)
{
	AUTO(free) char *text = NULL;
	size_t n;

	if (level == LIBBPF_DEBUG || !log_enabled(LOG_LEVEL_DEBUG) ||
	    vasprintf(&text, format, args) < 0)
		return 0;
	n = strlen(text);
	if (n && text[n - 1] == '\n')
		text[--n] = '\0';
	log_debug("libbpf", "text", n > SAID_MAX ? text + n - SAID_MAX : text);
	return 0;
}

/* ------------------------------------------------------------------------------- places */
static int make_dir(const char *dir, struct err *e)
{
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return err_errno(e, ERR_IO, errno, "make the folder %s", dir);
	return 0;
}

/* The folder of the cgroup, and a descriptor of it. The caller frees and closes. */
static int open_cgroup(const struct load_where *w, bool may_mount, char **out_dir, int *out_fd,
		       struct err *e)
{
	AUTO(free) char *dir = xstrdup(w->cgroup);
	int fd;

	if (!dir && cgroup_find(may_mount, &dir, e) < 0)
		return -1;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(e, ERR_IO, errno, "open the cgroup %s", dir);
	*out_dir = STEAL(dir);
	*out_fd = fd;
	return 0;
}

/* ------------------------------------------------------------------------------- the object */
/* Tried, never told by a version: distributions bring parts of later kernels to earlier ones. */
static bool can_set_retval(void)
{
	return libbpf_probe_bpf_helper(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_FUNC_set_retval, NULL) >
	       0;
}

static int pin_maps(struct bpf_object *o, const char *dir, struct err *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		AUTO(free) char *path = xasprintf("%s/%s", dir, maps[i]);
		struct bpf_map *m = bpf_object__find_map_by_name(o, maps[i]);

		if (!m || bpf_map__set_pin_path(m, path) < 0)
			return err_set(e, ERR_INTERNAL, 0, "the object has no map %s", maps[i]);
	}
	return 0;
}

static int set_constant(struct bpf_object *o, bool value, struct err *e)
{
	struct bpf_map *m, *found = NULL;
	AUTO(free) void *bytes = NULL;
	uint32_t constant = value;
	const void *initial = NULL;
	size_t size = 0;

	bpf_object__for_each_map(m, o)
	{
		if (str_ends(bpf_map__name(m), ".rodata"))
			found = m;
	}
	if (found)
		initial = bpf_map__initial_value(found, &size);
	if (!initial || size < sizeof(constant))
		return err_set(e, ERR_INTERNAL, 0, "the object has no constants");
	bytes = xmemdup(initial, size);
	memcpy(bytes, &constant, sizeof(constant));
	if (bpf_map__set_initial_value(found, bytes, size) < 0)
		return err_set(e, ERR_INTERNAL, 0, "the object's constants cannot be set");
	return 0;
}

static int load_object(const char *dir, bool can_refuse, struct bpf_object **out, struct err *e)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "tandem");
	AUTO(bpf_object__close) struct bpf_object *o = NULL;
	const void *bytes;
	size_t len = 0;
	int rc;

	bytes = bpf_object_bytes(&len);
	o = bpf_object__open_mem(bytes, len, &opts);
	if (!o)
		return err_errno(e, ERR_INTERNAL, errno, "read the object of the socket programs");
	if (pin_maps(o, dir, e) < 0 || set_constant(o, can_refuse, e) < 0)
		return -1;
	rc = bpf_object__load(o);
	if (rc < 0)
		return err_errno(
			e, rc == -EINVAL || rc == -ENOTSUP ? ERR_UNSUPPORTED : ERR_KERNEL, -rc,
			"load the socket programs (Linux 5.10 or later, and the rights CAP_BPF, CAP_NET_ADMIN, "
			"and CAP_PERFMON or CAP_SYS_ADMIN, are needed; --v 4 shows what the kernel says)");
	*out = STEAL(o);
	return 0;
}

/* ------------------------------------------------------------------------------- links */
static int describe_conflict(int cgroup_fd, const struct hook *h, const char *dir, struct err *e)
{
	struct load_hook there;
	struct err ignored = {0};

	if (hook_look(cgroup_fd, h, 0, &there, &ignored) < 0 || !there.n_others)
		return err_set(e, ERR_KERNEL, EPERM,
			       "attach to %s at %s: not permitted; CAP_NET_ADMIN is needed, and no "
			       "exclusive program of another at that cgroup or above",
			       h->name, dir);
	return err_set(e, ERR_CONFLICT, EPERM,
		       "attach to %s at %s: the program %u %s of somebody else sits there and "
		       "wants to be alone",
		       h->name, dir, there.others[0].id, there.others[0].name);
}

/* Under an own pin there is a link to this cgroup with another program: exchanged without a gap. 1, or 0. */
static int update_link(const char *dir, const struct hook *h, int cgroup_fd, int program)
{
	AUTO(fd) int link = hook_link(dir, h);
	struct load_hook there;
	struct err e = {0};

	if (link < 0 || hook_look(cgroup_fd, h, hook_program(link), &there, &e) < 0 ||
	    !there.attached)
		return 0;
	return bpf_link_update(link, program, NULL) == 0;
}

/* Mostly nothing is there, and what cannot be removed is met again. */
static void drop_pin(const char *pin)
{
	IGNORE(unlink(pin), "see above");
}

static int attach(const char *dir, const char *cgroup, const struct hook *h, int cgroup_fd,
		  int program, struct err *e)
{
	AUTO(free) char *pin = hook_pin(dir, h);
	AUTO(fd) int link = -1;

	if (update_link(dir, h, cgroup_fd, program))
		return 0;
	link = bpf_link_create(program, cgroup_fd, h->type, NULL);
	if (link < 0 && errno == EPERM)
		return describe_conflict(cgroup_fd, h, cgroup, e);
	if (link < 0)
		return err_errno(e, errno == EINVAL ? ERR_UNSUPPORTED : ERR_KERNEL, errno,
				 "attach to %s at %s", h->name, cgroup);
	/* A pin whose link is at another cgroup, or at none any more. */
	drop_pin(pin);
	if (bpf_obj_pin(link, pin) < 0)
		return err_errno(e, ERR_KERNEL, errno, "pin %s", pin);
	return 0;
}

static void detach_all(const char *dir)
{
	for (size_t i = 0; i < LOAD_HOOKS; i++) {
		AUTO(free) char *pin = hook_pin(dir, &hooks[i]);

		drop_pin(pin);
	}
}

static int attach_all(const char *dir, const char *cgroup, int cgroup_fd,
		      const struct bpf_object *o, struct err *e)
{
	for (size_t i = 0; i < LOAD_HOOKS; i++) {
		struct bpf_program *p = bpf_object__find_program_by_name(o, hooks[i].name);

		if (!p)
			return err_set(e, ERR_INTERNAL, 0, "the object has no program %s",
				       hooks[i].name);
		if (attach(dir, cgroup, &hooks[i], cgroup_fd, bpf_program__fd(p), e) < 0)
			return -1;
	}
	return 0;
}

/* After a failure: what an earlier version serves goes on. */
static int give_up(const struct load_where *w, bool had)
{
	struct err ignored = {0};

	if (!had && load_end(w, &ignored) < 0)
		log_warn("cannot take everything back", "error", ignored.msg);
	return -1;
}

static int begin(const struct load_where *w, const char *dir, bool can_refuse, struct err *e)
{
	AUTO(bpf_object__close) struct bpf_object *o = NULL;
	AUTO(free) char *cgroup = NULL;
	AUTO(fd) int cgroup_fd = -1;

	if (open_cgroup(w, true, &cgroup, &cgroup_fd, e) < 0 || bpffs_have(w->pins, e) < 0 ||
	    make_dir(w->pins, e) < 0 || make_dir(dir, e) < 0 ||
	    load_object(dir, can_refuse, &o, e) < 0)
		return -1;
	return attach_all(dir, cgroup, cgroup_fd, o, e);
}

int load_mount(const struct load_where *w, struct err *e)
{
	AUTO(free) char *cgroup = NULL;
	AUTO(fd) int cgroup_fd = -1;

	if (bpffs_have(w->pins, e) < 0)
		return -1;
	return open_cgroup(w, true, &cgroup, &cgroup_fd, e);
}

int load_begin(const struct load_where *w, bool *out_can_refuse, struct err *e)
{
	AUTO(free) char *dir = load_dir(w->pins);
	bool can_refuse, had;
	int link;

	libbpf_set_print(log_libbpf);
	link = hook_link(dir, &hooks[0]);
	had = link >= 0;
	fd_auto(&link);
	can_refuse = can_set_retval();
	if (begin(w, dir, can_refuse, e) < 0)
		return give_up(w, had);
	*out_can_refuse = can_refuse;
	return 0;
}

/* ------------------------------------------------------------------------------- away */
static int remove_path(int rc, const char *path, struct err *e)
{
	if (rc < 0 && errno != ENOENT && errno != ENOTDIR)
		return err_errno(e, ERR_IO, errno, "remove %s", path);
	return 0;
}

static int remove_maps(const char *dir, struct err *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		AUTO(free) char *path = xasprintf("%s/%s", dir, maps[i]);

		if (remove_path(unlink(path), path, e) < 0)
			return -1;
	}
	return 0;
}

int load_end(const struct load_where *w, struct err *e)
{
	AUTO(free) char *dir = load_dir(w->pins);

	detach_all(dir);
	if (remove_maps(dir, e) < 0 || remove_path(rmdir(dir), dir, e) < 0 ||
	    remove_path(rmdir(w->pins), w->pins, e) < 0)
		return -1;
	bpffs_leave();
	cgroup_unmount();
	return 0;
}

/* ------------------------------------------------------------------------------- looking */
void load_state_done(struct load_state *s)
{
	free(s->cgroup);
	s->cgroup = NULL;
}

int load_look(const struct load_where *w, struct load_state *out, struct err *e)
{
	AUTO(free) char *dir = load_dir(w->pins);
	AUTO(free) char *conf = xasprintf("%s/conf", dir);
	struct load_state s = {0};
	AUTO(fd) int cgroup_fd = -1;

	if (open_cgroup(w, false, &s.cgroup, &cgroup_fd, e) < 0)
		return -1;
	s.maps = access(conf, F_OK) == 0;
	for (size_t i = 0; i < LOAD_HOOKS; i++) {
		AUTO(fd) int link = hook_link(dir, &hooks[i]);

		if (hook_look(cgroup_fd, &hooks[i], link < 0 ? 0 : hook_program(link), &s.hooks[i],
			      e) < 0) {
			load_state_done(&s);
			return -1;
		}
		s.attached += s.hooks[i].attached;
	}
	*out = s;
	return 0;
}
