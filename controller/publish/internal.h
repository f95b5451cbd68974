/* SPDX-License-Identifier: Apache-2.0 */
/* What services.c, watch.c, step.c and requests.c share. */
#ifndef CONTROLLER_PUBLISH_INTERNAL_H
#define CONTROLLER_PUBLISH_INTERNAL_H

#include <sys/queue.h>

#include "api/endpoints.h"
#include "api/service.h"
#include "controller/publish/services.h"
#include "controller/rules/svc_pack.h"
#include "lib/base/map.h"
#include "lib/kube/queue.h"

struct jval;

/* Which of the two the server has us write. */
enum svc_mode { SVC_MODE_UNKNOWN = 0, SVC_MODE_ENDPOINTS, SVC_MODE_SLICES };

enum svc_store { SVC_SERVICES = 0, SVC_ENDPOINTS, SVC_SLICES, SVC_STORES };

/* What is told of a Service. */
enum svc_event { SVC_NAME_TAKEN = 0, SVC_FORBIDDEN, SVC_TOLD };

/* A write of ours that the watch has not shown yet. */
struct svc_expect {
	bool set;
	enum svc_store store;
	char *key;
	int64_t version; /* at least this one; 0 = it is to be gone: */
	char *uid;
	int64_t until_ms; /* then go on without */
};

/* A Service by name, whether or not it exists. */
struct svc {
	struct services *all;
	struct svc_ns *space;
	char *key;      /* "namespace/name" */
	char *head_key; /* "namespace/name-macvlan" */
	const struct api_service *obj;
	struct kube_call *call; /* one request at a time */
	struct svc_expect expect;
	struct kube_queue_item item; /* of space->queue; in flight: call is set, or it is looked at */
	int64_t wrote_ms;            /* when the last write was sent */
	char **round; /* what has been written since it was last found right; empty between rounds */
	size_t n_round;
	bool in_vain;  /* a write of this round changed nothing: no use in doing it again */
	char *patched; /* the resourceVersion that the call is about, NULL = no patch */
	struct svc_expect sent;    /* what a success of the call has the watch show */
	int64_t told_ms[SVC_TOLD]; /* when each event was last written */
};

/* The slices of ours that name one Service. */
struct svc_slices {
	char *key; /* "namespace/service" */
	const struct api_slice **list;
	size_t n;
};

/* A namespace: its Services, and its pods that have or want cards. */
struct svc_ns {
	char *name;
	struct svc **svcs;
	size_t n_svcs;
	struct map entries;       /* struct entry, by its key */
	struct kube_queue queue;  /* of struct svc */
	TAILQ_ENTRY(svc_ns) turn; /* of services.turns, while is_turning */
	bool is_turning;          /* something waits or is in flight */
};

TAILQ_HEAD(svc_turns, svc_ns);

struct services {
	struct publish_in in;
	struct kube_store *store[SVC_STORES];
	struct kube_reflector *reflector[SVC_STORES];
	enum svc_mode mode;
	bool no_slices; /* the server has none in any version */
	struct kube_call *discovery;
	int64_t discover_ms; /* ask again then; 0 = not */
	unsigned int discovery_failures;
	uint64_t watches;       /* of Services, when the server was last asked */
	struct map by_key;      /* struct svc */
	struct map by_head;     /* the same */
	struct map slices;      /* struct svc_slices, by head_key */
	struct map spaces;      /* struct svc_ns */
	struct svc_turns turns; /* whose turn it is: the first that has something due */
};

/** svc_get - the entry, made when it is not there. */
struct svc *svc_get(struct services *all, const char *ns, const char *name);
/** svc_mark - look at it soon: what changes meanwhile is written in one go. */
void svc_mark(struct svc *svc);
void svc_mark_all(struct services *all);
struct svc_ns *svc_space(struct services *all, const char *ns);

enum svc_step {
	SVC_STEP_RIGHT = 0, /* nothing to do */
	SVC_STEP_SENT,      /* a request is under way */
	SVC_STEP_LATER,     /* what differs was written a moment ago: next time */
	SVC_STEP_STOP,      /* nothing can be done until something changes */
};

/** svc_step - make the next write. Everything is looked at again each time. */
enum svc_step svc_step(struct svc *svc);

/** svc_watch_run - begin to watch, and find out what the server serves. True = all is known. */
bool svc_watch_run(struct services *all, int64_t *next_ms);
void svc_watch_done(struct services *all);
/** svc_slices_path - of the slices of a namespace, in the version that they are watched in. */
char *svc_slices_path(const struct services *all, const char *ns);

/* One request each; svc->call is set, and svc is looked at again when it is through. */

void svc_call_create(struct svc *svc, enum svc_store store, const char *name, const char *body);
void svc_call_patch(struct svc *svc, enum svc_store store, const struct api_meta *meta,
		    const char *body);
void svc_call_delete(struct svc *svc, enum svc_store store, const struct api_meta *meta);
/** svc_caught_up - the watch shows what was last written, or is too late. */
bool svc_caught_up(struct svc *svc);
void svc_expect_done(struct svc_expect *x);
/** svc_tell - a Warning event on the Service, at most one of its kind in five minutes. */
void svc_tell(struct svc *svc, enum svc_event what, const char *msg);

#endif
