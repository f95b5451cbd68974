/* What the controller's modules share. One struct app, made by main and passed down. */
#ifndef CONTROLLER_APP_H
#define CONTROLLER_APP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/workload.h"
#include "controller/conditions.h"
#include "controller/decide.h"
#include "controller/hook_options.h"
#include "lib/base/map.h"
#include "controller/plan.h"
#include "ipam/record.h"

struct hook;
struct kube_call;
struct kube_client;
struct kube_lease;
struct kube_reflector;
struct kube_store;
struct app;
struct metrics;
struct netstatus;
struct sub;
struct svcs;

struct leader_options {
	bool elect;
	int64_t duration_ms, renew_deadline_ms, retry_ms;
	const char *name, *ns; /* of the Lease */
};

struct options {
	const char *kubeconfig; /* NULL = in-cluster */
	const char *system_ns;
	double qps;
	unsigned int burst;
	bool legacy_annotations; /* the older product's count too */
	bool attached_by_pod_ip; /* a pod IP counts as proof of the card: nobody reports better */
	struct decide_rules rules;
	struct leader_options leader;
	struct hook_options hook;
	const char *metrics_bind; /* NULL = ":8080" in a pod, else nowhere */
	bool uninstall_hook;      /* remove its objects and exit */
};

/* The order in which a new leader gets its picture; see takeover.h. */
enum app_phase {
	APP_STANDBY = 0, /* another leads: all is watched, nothing is written */
	APP_SUBNETS,     /* subnets are listed */
	APP_CLAIM,       /* our term goes into every subnet's status */
	APP_IPS,         /* only then are records listed, */
	APP_PODS,        /* then pods, */
	APP_REST,        /* then all other kinds */
	APP_RUN,         /* records compared with what is used; from now on grants and releases */
};

/* Where a record without address is on its way to one. */
enum ent_step {
	ENT_IDLE = 0,
	ENT_QUEUED,     /* waits in sub->queue */
	ENT_COMMITTING, /* part of the write that is under way */
	ENT_COMMITTED,  /* addr and mac are its own; to be written into the record */
};

/* One name: the pod and the record that bear it. */
struct ent {
	struct app *app;
	char *key;                 /* "namespace/name" */
	const struct api_pod *pod; /* the store's, NULL = not there or not of interest */
	const struct api_ip *seen; /* the store's record */
	struct api_ip *own;  /* the record after a write of ours that the store has not shown yet */
	char *gone_uid;      /* a record that is gone, though the store may still show it */
	struct api_ip *lost; /* a record that went with its address and not by us; spec only */
	struct api_ip *good; /* the spec that somebody has edited, to be restored; spec only */
	struct api_ip *expect; /* the spec that a write of ours makes; spec only */
	bool unreadable;       /* the record could not be read: nothing is done about it */

	struct kube_call *call; /* one request at a time */
	enum ent_step step;
	struct sub *sub;            /* where it is queued or committed */
	struct api_request request; /* while step is not idle */
	char *owner;                /* the pod's workload, NULL = none; with request */
	char *made_version;         /* of its record, as our creation left it */
	char *want_uid;             /* the record that it is queued or committed for */
	struct ip_addr addr;        /* while committed */
	struct ip_addr addr6;       /* dual stack, else unset */
	struct mac_addr mac;
	bool probe; /* nobody saw the card go that had the address last */
	uint8_t prefix, prefix6;
	struct ip_addr claimed, claimed6;
	struct mac_addr claimed_mac;
	bool releasing;   /* its record is being ended by us */
	char *look_uid;   /* the pod that was last asked for */
	int64_t look_ms;  /* not to be asked for again before */
	bool forced_anew; /* its record must be ended and made again */

	bool graceful; /* the pod's deletion began with time for the kubelet to act */
	char *end_uid; /* the former pod whose end was noticed */
	enum decide_end end;
	bool end_sure; /* we saw it as the leader, or the API server has said so since */
	int64_t end_ms;
	int64_t over_ms; /* when the present pod's terminal phase was noticed, 0 = it is not over */
	int64_t ip_ms;   /* when its IP was noticed, 0 = it has none */
	char *held_by;   /* the subnet that counts this as reserved, NULL = none */

	struct ent_conflict *conflict; /* see conflict.c; mostly NULL */
	uint64_t attached; /* which record of which pod was last seen Attached, as a hash */
	size_t space_pos;  /* in svc_ns.ents, from 1; 0 = not in it */

	bool dirty;      /* in app->dirty */
	int64_t wake_ms; /* look again then; 0 = never */
	unsigned int failures;
	int64_t told_ms[DECIDE_REASONS]; /* when each event was last written for this pod */
};

enum sub_state {
	SUB_NEW = 0, /* our term is not in it */
	SUB_CLAIMED,
	SUB_LISTING,  /* claimed late: records are listed again first */
	SUB_SETTLING, /* compared; the first write of ours has not been answered */
	SUB_READY,
};

/* What the store keeps of a MacvlanSubnet. */
struct subnet_obj {
	struct api_meta meta;
	struct api_subnet *spec; /* NULL while it breaks a rule: */
	struct err why;
	uint64_t term; /* of status.allocation, read leniently */
	uint64_t commit;
	char *holder;
	struct ipam_record record;
	bool record_bad;  /* status.allocation cannot be read */
	char *conditions; /* JSON text of status.conditions: types, truth and times; may be NULL */
};

struct sub {
	struct app *app;
	char *name;
	const struct subnet_obj *obj; /* the store's; NULL = gone */
	char *uid;                    /* of the object that the rest is about */
	char *version;                /* newest resourceVersion known */
	enum sub_state state;
	bool fresh; /* nothing stood in status: what was in flight is not known */
	bool blind; /* nor is the address of a card that lives: who gets one asks the LAN first */
	bool relisting; /* the list that it waits for has begun */
	bool reread;    /* GET it before the next write */
	bool has_finalizer;
	struct ipam_record record; /* as on the server */
	uint64_t next_commit;
	struct ipam_set own_range; /* what the spec allows, without the nodes' addresses */
	struct ipam_set range;     /* ... and without what a neighbour allows too */
	struct ipam_set named;     /* addresses that workloads name: not for automatic pods */
	struct ipam_set own_range6, range6; /* of spec.ipv6 */
	char overlap[400];                  /* "" or what is shared with whom */
	uint32_t delay_s;

	struct ent **queue; /* oldest waiter first */
	size_t n_queue, cap_queue;
	struct plan_list releases, drops, adopts;
	struct ipam_conflict *conflicts; /* quarantines since the last write */
	size_t n_conflicts;
	struct mac_addr proxy;        /* that of a router with proxy ARP, see conflict.c */
	int64_t conflicts_until_s;    /* so long the condition Conflicts is true, */
	const char *conflicts_reason; /* for this reason */
	char conflicts_why[400];
	size_t n_held;
	struct ipam_set orphans; /* used, without a record: a pod that lives has lost its own */
	int64_t orphans_ms;      /* to be released then; 0 = such a pod still lives */
	int64_t soft_ms;         /* write at the latest then; 0 = nothing to write */
	bool hard;               /* write as soon as possible */

	struct kube_call *call;
	struct ipam_record next; /* what is being written */
	char *next_summary;
	char *summary;               /* the rest of status as last written */
	char *conditions;            /* of it, as in struct subnet_obj */
	int64_t told_ms[CONDITIONS]; /* when each was last told to have become true */
	struct ent **sent;           /* the waiters that the write serves */
	struct plan_want *wants;
	size_t n_sent, n_sent_releases, n_sent_drops, n_sent_adopts, n_sent_conflicts;
	int64_t sent_ms,
		rest_ms; /* of the last write: when it left, until when the next may wait */
	int64_t retry_ms;
	unsigned int failures;
};

struct ns_obj {
	struct api_label *labels;
	size_t n_labels;
};

struct node_obj {
	struct api_label *labels;
	size_t n_labels;
	struct ip_addr *addrs;
	size_t n_addrs;
	bool ready;
	bool out_of_service; /* fenced: taint node.kubernetes.io/out-of-service */
};

/* In the order in which they are listed; what comes after the pods is listed at once. */
enum {
	STORE_SUBNETS,
	STORE_IPS,
	STORE_PODS,
	STORE_NAMESPACES,
	STORE_NODES,
	STORE_WORKLOADS, /* one for each enum api_workload_kind */
	STORES = STORE_WORKLOADS + API_WORKLOADS,
};

struct app {
	struct options opt;
	struct kube_client *client;
	struct kube_store *store[STORES];
	struct kube_reflector *reflector[STORES];
	bool old_cronjobs;          /* they are watched in batch/v1beta1 */
	unsigned int lists[STORES]; /* complete ones before the takeover's */
	enum app_phase phase;
	struct kube_client *lease_client; /* of its own: renewals wait behind nothing */
	struct kube_lease *lease;         /* NULL without leader election */
	bool leading;
	bool records_known; /* listed as the leader: what changes in them from now on is known to us */
	int64_t lease_told_ms;
	char holder[40];   /* random, new with every process */
	struct hook *hook; /* the admission webhook */
	struct map ents;   /* by key */
	struct map subs;   /* by name */
	struct map claims; /* address text -> struct claim: which entries have it */
	struct map macs;
	struct map reservations; /* see reserve.h */
	bool reservations_stale;
	struct ent **dirty;
	size_t n_dirty, cap_dirty;
	bool ranges_stale;
	bool look_all;  /* something that refused pods has changed */
	bool pods_went; /* one of them may have been without a record */
	bool look_kept; /* a StatefulSet has changed: who is kept for it? */
	size_t n_unreadable;
	struct svcs *svcs;                 /* see svc.h */
	struct netstatus *netstatus;       /* see netstatus.h */
	struct metrics *metrics;           /* NULL = off */
	uint64_t n_told[DECIDE_REASONS];   /* events about pods, since the start */
	uint64_t n_released;               /* records ended with their addresses, since the start */
	int64_t wake_ms;                   /* earliest of the entries' */
	int64_t wall_base_s, boot_base_ms; /* wall clock that does not jump, see app_now_s() */
};

/** app_now_s - seconds since 1970, going on evenly from the process' start whatever the wall clock does. */
int64_t app_now_s(const struct app *app);
/** app_backoff_ms - 0.25 s, doubling to 30 s. */
int64_t app_backoff_ms(unsigned int failures);
/** app_lost_term - another controller has written its term: log and exit at once. */
void app_lost_term(const struct sub *sub, uint64_t term, const char *holder)
	__attribute__((noreturn));

#endif
