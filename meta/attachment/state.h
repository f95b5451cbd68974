/* SPDX-License-Identifier: Apache-2.0 */
/* What an ADD has done, on disk, so that DEL needs neither the API nor today's conf. */
#ifndef META_ATTACHMENT_STATE_H
#define META_ATTACHMENT_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"

/* What hostAccess has made on the node for one pod; the device is shared by the parent's pods. */
struct state_host {
	char *parent; /* NULL = no hostAccess */
	char *device;
	char *addrs[2]; /* of the pod, one or two */
};

/* One attachment: a container ID and an interface name. All strings are owned. */
struct state {
	char *container_id;
	char *ifname; /* CNI_IFNAME of the runtime */
	char *netns;
	char *cni_args;
	char *pod_uid;     /* NULL until the ADD was through, and where nobody knows it */
	char *given_up;    /* UID of a record whose card this ADD will not make; NULL = none */
	char *cni_version; /* of our own conf at ADD */
	char *network;     /* its name */
	char *delegate;    /* the primary's conf, its very bytes; NULL when there was no primary */
	char *runtime_config;  /* as the runtime gave it; NULL when it gave none */
	char *result;          /* the primary's final result; NULL until its ADD was through */
	char **plugin_results; /* each plugin's own, in the order of the list */
	size_t n_plugin_results;
	char *card;     /* our card's final name; NULL when the pod has none */
	char *card_mac; /* NULL until it is known */
	char *made;     /* what the card's ADD has made, by lines (macvlan/made.h); or NULL */
	char *parent; /* link on the host that it sits on, "ens4.100"; NULL: not yet known, or an old file */
	char *master;      /* the NIC of that */
	char *told_master; /* what the record says instead of its name; NULL: just that */
	uint16_t vlan;     /* 0 = the NIC itself */
	char *link;        /* what the card is: the sort in lib/nl/link_type.h */
	char *mode;        /* its mode, "bridge"; NULL in an old file */
	char *boot_id;     /* of the boot that the attachment was made in */
	bool complete;     /* ADD answered with success */
	struct state_host host;
	int64_t missing_since; /* wall clock second of the first DEL without the primary's binary; 0 */
};

/** state_free - free the struct and all it owns. NULL is fine. */
void state_free(struct state *s);
DEFINE_AUTO(struct state, state_free)

/* The directory with the state files, opened once; made when it is not there. */
struct state_dir;

/** state_dir_open - open (and make) dir and its subdirectories. ERR_IO names what failed. */
int state_dir_open(const char *dir, struct state_dir **out, struct err *e) FN_MUST;
void state_dir_free(struct state_dir *d);
DEFINE_AUTO(struct state_dir, state_dir_free)

/** state_dir_writable - could a file be made in it? ERR_IO when not (a disk that is read-only). */
int state_dir_writable(const struct state_dir *d, struct err *e) FN_MUST;
/** state_dir_fd - the directory itself, lent. */
int state_dir_fd(const struct state_dir *d);

/**
 * state_lock - take the container's lock, waiting until the deadline.
 * @out_fd: the caller closes it to let go
 *
 * One verb of a container runs at a time: runtimes have been seen to send two DELs of one
 * sandbox in the same millisecond. ERR_AGAIN when the deadline ran out.
 */
int state_lock(const struct state_dir *d, const char *container_id, int64_t deadline_ms,
	       int *out_fd, struct err *e) FN_MUST;

/** state_dir_set_stop_fd - waits for locks end (ERR_CANCELLED) once fd is readable. -1 = none. Lent. */
void state_dir_set_stop_fd(struct state_dir *d, int fd);

/**
 * state_lock_parent - take the lock of a link of the host that pods' cards sit on.
 *
 * For whoever makes or removes on the host what several pods share. Taken while the container's
 * lock is held, never the other way round. As state_lock().
 */
int state_lock_parent(const struct state_dir *d, const char *parent, int64_t deadline_ms,
		      int *out_fd, struct err *e) FN_MUST;

/** state_unlock_parent - remove the lock's file, then let go. */
void state_unlock_parent(const struct state_dir *d, const char *parent, int *fd);

/** state_unlock_remove - remove the lock's file while holding it, then let go. */
void state_unlock_remove(const struct state_dir *d, const char *container_id, int *fd);

/**
 * state_load - read the file of an attachment.
 *
 * 1 and *out; 0 when there is none; 0 also when it is damaged (cut, wrong checksum, another
 * format): it is set aside as "<name>.corrupt" then and *out_damaged says so. -1 is an I/O error.
 */
int state_load(const struct state_dir *d, const char *container_id, const char *ifname,
	       struct state **out, bool *out_damaged, struct err *e) FN_MUST;

/** state_host_clear - free what the struct owns; no hostAccess any more. */
void state_host_clear(struct state_host *h);

#define STATE_ATTACHMENTS "attachments" /* the files' folder below the state directory */

/**
 * state_peek - state_load() for who only looks, by the file's name: a damaged file stays where it is.
 *
 * 1 and *out; 0: there is none, it is damaged (*out_damaged), or a name that is no attachment's.
 */
int state_peek(const struct state_dir *d, const char *name, struct state **out, bool *out_damaged,
	       struct err *e) FN_MUST;

/** state_dir_files - the folder of the files, for who lists them. Lent. */
int state_dir_files(const struct state_dir *d);

/** state_save - put the file in place as a whole. No fsync: pods do not survive the power cut either. */
int state_save(const struct state_dir *d, const struct state *s, struct err *e) FN_MUST;

/** state_remove - remove the file and what a killed state_save() has left; nothing there is fine. */
int state_remove(const struct state_dir *d, const char *container_id, const char *ifname,
		 struct err *e) FN_MUST;

/** state_boot_id - the kernel's random ID of this boot; "" when it cannot be read. Caller frees. */
char *state_boot_id(void);

/**
 * The last good copy of a delegateFile: other installers rewrite theirs in place, so that half a
 * file is normal for a moment. state_keep_delegate() writes only when the bytes differ, and its
 * failure costs nothing but the copy. state_last_delegate(): 1 found, 0 not, -1 error.
 */
int state_keep_delegate(const struct state_dir *d, const char *text, size_t len,
			struct err *e) FN_MUST;
int state_last_delegate(const struct state_dir *d, char **out, size_t *out_len,
			struct err *e) FN_MUST;

/**
 * Pods whose last ADD failed for want of an address. The next ADD of such a pod asks for the
 * address before it runs the primary, so that the primary is not set up and torn down over and
 * over. Hints only: losing one costs nothing, old ones are swept.
 */
void state_hint_set(const struct state_dir *d, const char *pod_uid);
bool state_hint_is_set(const struct state_dir *d, const char *pod_uid);
void state_hint_clear(const struct state_dir *d, const char *pod_uid);

#endif
