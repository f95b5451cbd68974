/* SPDX-License-Identifier: Apache-2.0 */
/* MacvlanIP: one pod's address and the network it was given in. */
#ifndef API_IP_H
#define API_IP_H

#include "api/meta.h"
#include "api/network.h"

struct sb;

/* On a record that outlives its pod: since when the pod is gone without anybody having seen its card go. */
#define API_ANNOTATION_UNWITNESSED "tandem-cni.io/unwitnessed-since"

/* On a record that was lost and is to be made again: its node is asked which card the pod with this UID has. */
#define API_ANNOTATION_TELL_CARD "tandem-cni.io/tell-card"
/* Which of several subnets the record is of, and why; for people. */
#define API_ANNOTATION_CHOICE "tandem-cni.io/subnet-choice"

enum api_ip_phase {
	API_IP_PHASE_NONE = 0, /* nothing to tell: Pending without cidr, Allocated with it */
	API_IP_ATTACHED,
	API_IP_MISSING,
	API_IP_CONFLICT,
	API_IP_PHASE_OTHER,
};

/* A node's answer: the card of that pod. */
struct api_ip_told {
	char *pod_id;          /* "" = it has not answered */
	struct ip_addr ips[2]; /* unset = that pod has no card */
	struct mac_addr mac;
};

struct api_ip {
	struct api_meta meta;
	char *owner_pod_uid; /* ownerReferences' pod; "" for none */
	char *label_node;    /* labels as they stand, "" for none */
	char *label_subnet;
	int64_t unwitnessed; /* when its pod had gone unseen, seconds since 1970, 0 = it has not */
	char *subnet;
	char *pod_id; /* the pod's UID; "" while a StatefulSet's record waits for the next pod of the name */
	char *node;
	struct ip_net cidr;  /* family 0 while Pending */
	struct ip_net cidr6; /* dual stack only */
	struct mac_addr mac; /* all zero while Pending */
	struct api_network network;
	enum api_ip_phase phase;
	char *message;
	char *nic; /* where spec.master does not name it: the node's NIC, as it reports; "" for none */
	char *card_down; /* the node's word: the card of the pod with this UID is down; "" for none */
	char *tell_card; /* the pod whose card the node is asked about; "" for none */
	struct api_ip_told told;
};

/**
 * api_ip_decode - JSON to struct.
 *
 * A key with a wrong type or an address that is none is ERR_DECODE with its path. spec.cidr and
 * spec.mac stand together or both are absent, and without podId they are there. The caller frees *out.
 */
int api_ip_decode(const struct jval *obj, struct api_ip **out, struct err *e) FN_MUST;
void api_ip_free(struct api_ip *ip);
DEFINE_AUTO(struct api_ip, api_ip_free)

/** api_ip_is_allocated - an address stands in it. */
bool api_ip_is_allocated(const struct api_ip *ip);

/** api_ip_is_vacant - kept for a StatefulSet, and no pod has it. */
bool api_ip_is_vacant(const struct api_ip *ip);

/**
 * api_ip_card_is_down - its node has reported that the card of the pod which it names is down.
 *
 * A report names a pod: that of a former one is void when the record is another pod's.
 */
bool api_ip_card_is_down(const struct api_ip *ip);

/**
 * api_ip_is_ending - its address is to be freed, or nobody saw its pod's card go.
 *
 * From then on its node reports a card that is down, and whoever makes a card for the pod writes the record
 * before: see docs/allocation.md.
 */
bool api_ip_is_ending(const struct api_ip *ip);

/** api_ip_is_asked - it has no address, and its node is asked which one the pod's card has. */
bool api_ip_is_asked(const struct api_ip *ip);

/** api_ip_has_own_mac - its card has a MAC of its own, and not its parent's. */
bool api_ip_has_own_mac(const struct api_ip *ip);

/** api_ip_is_told - its node has answered, about the pod that it names. */
bool api_ip_is_told(const struct api_ip *ip);

/** api_ip_phase_name - "Pending", "Allocated", "Attached", "Missing", "Conflict" or "Unknown". */
const char *api_ip_phase_name(const struct api_ip *ip);

/* What a node reports of another user of the address. Lent strings. */
struct api_ip_rival {
	struct ip_addr addr; /* which of the record's */
	struct mac_addr mac;
	const char *node; /* who reports it, "" = not known */
	const char *link; /* a link of that very node has it; "" = another machine */
};

#define API_IP_RIVAL_LEN 512

/**
 * api_ip_rival_format - the message that goes with the phase Conflict, cut at the end. Returns buf.
 *
 * For people, and for api_ip_rival_mac(): who writes it and who acts on it share the form here.
 */
char *api_ip_rival_format(const struct api_ip_rival *r, char buf[API_IP_RIVAL_LEN]);

/** api_ip_rival_mac - the first MAC in such a message, whoever wrote it; false when it names none. */
bool api_ip_rival_mac(const char *message, struct mac_addr *out);

/* What a plugin says in the status of the record that it has read. Lent strings. */
struct api_ip_word {
	const char *uid, *version;   /* the record must still be so; neither may be empty */
	const char *phase, *message; /* NULL takes it away */
	bool clear_card_down;
};

/** api_ip_word_write - as a merge patch for the record's status. */
void api_ip_word_write(const struct api_ip_word *word, struct sb *out);

/** api_label_value - name as a label value: itself, or a hash of it when it is over 63 bytes. */
const char *api_label_value(const char *name, char buf[64]);

#endif
