/* SPDX-License-Identifier: Apache-2.0 */
/* What to do about one pod and its record. Pure: no I/O, no clock of its own. */
#ifndef CONTROLLER_RULES_DECIDE_H
#define CONTROLLER_RULES_DECIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/ip.h"
#include "api/pod.h"
#include "api/subnet.h"

/* What is known of the end of the pod that a record names. */
enum decide_end {
	DECIDE_END_UNKNOWN = 0, /* not in our cache, and nobody has asked the API server */
	DECIDE_END_FINISHED, /* vanished after every container had terminated: the kubelet's work */
	DECIDE_END_IDLE, /* vanished after its deletion began, no container running, node Ready */
	DECIDE_END_LOST, /* the API server says that it is gone, and nobody saw how */
};

struct decide_rules {
	int64_t after_terminal_ms; /* a card outlives the terminal phase by at most this */
	int64_t quarantine_s; /* an address that another machine uses is set aside so long; 0 = never */
	int64_t hold_s; /* an address whose pod was taken from under the kubelet is kept so long */
	int64_t missing_after_ms; /* a pod with an IP whose card nobody reports is told after this */
};

/* The pod that bears the record's name and is not the one that the record names. */
enum decide_heir {
	DECIDE_HEIR_NONE = 0, /* there is none, or not yet one that is bound to a node */
	DECIDE_HEIR_FITS,     /* the address is what it asks for */
	DECIDE_HEIR_DIFFERS,
};

struct decide_record_in {
	const struct api_ip *rec;
	const struct api_pod *pod; /* of the same name, NULL if there is none */
	bool holds_address;        /* one stands in the record or is committed for it */
	bool node_ready;
	bool node_fenced; /* out of service: nothing runs on it */
	bool kept;        /* a StatefulSet has, or will have, a pod of this name */
	enum decide_heir heir;
	enum decide_end end; /* of the pod with the UID rec->pod_id */
	int64_t end_ms;      /* when that was noticed, monotonic */
	int64_t over_ms;     /* when the terminal phase was noticed, monotonic */
	int64_t now_ms;
	int64_t now_s; /* seconds since 1970 */
};

enum decide_record_verdict {
	DECIDE_KEEP = 0, /* the pod lives */
	DECIDE_RENEW,    /* waits for an address and is being deleted: end it, make it again */
	DECIDE_LOOK,     /* ask the API server whether the pod is there */
	DECIDE_WAIT,     /* release at *wake_ms, if nothing changes */
	DECIDE_ASK, /* its end is sure: begin it, so that the node tells when the card is down */
	DECIDE_SUSPECT, /* nobody saw its card go: note in it when the hold begins */
	DECIDE_HOLD,    /* reserved until *wake_ms */
	DECIDE_RELEASE,
	DECIDE_VACATE, /* the card is down and the record is kept: it names no pod any more */
	DECIDE_VACANT, /* waits for the next pod of the name */
	DECIDE_BIND,   /* the next pod takes it over */
};

/**
 * decide_record - whose record is this, and is its card down?
 * @wake_ms: monotonic time at which to ask again, for DECIDE_WAIT and DECIDE_HOLD
 */
enum decide_record_verdict decide_record(const struct decide_record_in *in,
					 const struct decide_rules *rules, int64_t *wake_ms);

struct decide_missing_in {
	const struct api_ip *rec; /* with an address, of a pod that lives */
	bool reports;             /* every node reports its cards */
	bool has_ip, ending;      /* of the pod */
	int64_t ip_ms;            /* when its IP was noticed, monotonic */
	int64_t now_ms;
};

/**
 * decide_missing - has the pod been set up without its card?
 *
 * Its node says so, or it says nothing though the pod has an IP. *wake_ms: ask again then; 0 = no need.
 */
bool decide_missing(const struct decide_missing_in *in, const struct decide_rules *rules,
		    int64_t *wake_ms);

enum decide_reason {
	DECIDE_OK = 0,
	DECIDE_NOTHING, /* nothing asked for, or not yet */
	DECIDE_INVALID_ANNOTATION,
	DECIDE_HOST_NETWORK,
	DECIDE_STATIC_POD,
	DECIDE_TOO_LATE,
	DECIDE_NO_SUBNET,
	DECIDE_SUBNET_INVALID,
	DECIDE_SUBNET_TERMINATING,
	DECIDE_NAMESPACE_NOT_ALLOWED,
	DECIDE_MAC_NOT_ALLOWED,
	DECIDE_NODE_UNKNOWN,
	DECIDE_NODE_NOT_SELECTED,
	DECIDE_EXHAUSTED,
	DECIDE_NAMESPACE_LIMIT,
	DECIDE_OUTSIDE,
	DECIDE_RESERVED,
	DECIDE_ADDRESS_IN_USE,
	DECIDE_MAC_IN_USE,
	DECIDE_FORMER_POD,
	DECIDE_RESTORED,
	DECIDE_CONFLICT,
	DECIDE_MISSING,
	DECIDE_CARD_REFUSED,
	DECIDE_CARD_UNKNOWN,
	DECIDE_FORBIDDEN,
	DECIDE_ALLOCATED,
	DECIDE_REASONS,
};

struct decide_labels {
	bool known; /* the object is in our cache */
	const struct api_label *labels;
	size_t n;
};

struct decide_new_in {
	const struct api_pod *pod;
	const struct api_request *request; /* NULL: request_err says why there is none */
	const struct err *request_err;
	bool by_default; /* not by an annotation of its own: who cannot have a card is not told */
	bool subnet_found;
	bool subnet_terminating;
	const struct api_subnet *subnet; /* NULL while invalid */
	const char *subnet_why;          /* why it is invalid */
	const char *system_ns;
	struct decide_labels ns;
	struct decide_labels node;
};

/**
 * decide_new - may this pod, which has no record, have one?
 * @msg: for DECIDE_OK and DECIDE_NOTHING empty, else what its reader has to do
 */
enum decide_reason decide_new(const struct decide_new_in *in, char *msg, size_t size);

/* What is known of one of the subnets that a pod names. */
struct decide_subnet_in {
	bool fits;        /* the pod may have it, on its node */
	bool has_free;    /* an address for it */
	bool is_own;      /* its record is in it, */
	bool has_address; /* with an address */
};

/**
 * decide_subnet - which of them: the index.
 *
 * The one that its record has an address of, or waits in while there is one to be had; else the first that fits and
 * has a free address; else that of its record, or the first that fits; else the first.
 */
size_t decide_subnet(const struct decide_subnet_in *in, size_t n);

/** decide_reason_name - as events bear it ("SubnetNotFound"). */
const char *decide_reason_name(enum decide_reason reason);

#endif
