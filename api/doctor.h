/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the LAN doctor of a node has found: for each subnet that the node is to serve, one reason. The node writes it
 * at its Node as an annotation, whose value is a JSON object; others take it as untrusted text. Pure.
 */
#ifndef API_DOCTOR_H
#define API_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"

struct sb;

#define API_ANNOTATION_DOCTOR     "tandem-cni.io/doctor"
#define API_ANNOTATION_DOCTOR_NOW "tandem-cni.io/doctor-now" /* a time: probe again */

#define API_DOCTOR_BYTES    4096 /* of the annotation */
#define API_DOCTOR_ENTRIES  256
#define API_DOCTOR_MESSAGE  240 /* bytes of one */
#define API_DOCTOR_NAME     254
#define API_DOCTOR_PORT     64 /* of a switch's name, and of its port's, with the NUL */
#define API_DOCTOR_NIC      16
#define API_DOCTOR_TIME_LEN 32

/* In the order in which they are looked for: the first that is so is told. */
enum api_doctor_reason {
	API_DOCTOR_OK = 0,
	API_DOCTOR_NIC_MISSING,
	API_DOCTOR_NO_CARRIER,
	API_DOCTOR_NIC_UNFIT,
	API_DOCTOR_VLAN,        /* nothing is heard of it */
	API_DOCTOR_SILENT,      /* the gateway; others are heard */
	API_DOCTOR_SECOND_MAC,  /* one is answered, a second is not */
	API_DOCTOR_TWO_ANSWERS, /* two MACs for one gateway */
	API_DOCTOR_MTU,         /* a packet of full size does not come through */
	API_DOCTOR_UNTESTED,
	API_DOCTOR_REASONS,
};

/** api_doctor_word - as it stands in objects: "VLANNotPassed". */
const char *api_doctor_word(enum api_doctor_reason reason);
/** api_doctor_find - by that word. -1: it is none. */
int api_doctor_find(const char *word, enum api_doctor_reason *out) FN_MUST;
/** api_doctor_fails - the node cannot serve the subnet. */
bool api_doctor_fails(enum api_doctor_reason reason);

struct api_doctor_entry {
	char subnet[API_DOCTOR_NAME];
	enum api_doctor_reason reason;
	char message[API_DOCTOR_MESSAGE]; /* "" = none */
	char nic[API_DOCTOR_NIC];         /* "" = not found */
	char sw[API_DOCTOR_PORT];         /* the switch's name; "" = it has not told */
	char port[API_DOCTOR_PORT];
	bool mtu; /* a packet of full size was answered */
};

struct api_doctor {
	int64_t time_s;  /* when it was looked */
	int64_t asked_s; /* the request that it has answered, API_ANNOTATION_DOCTOR_NOW; 0 = none */
	struct api_doctor_entry *v;
	size_t n;
	size_t omitted; /* subnets that had no room */
};

void api_doctor_done(struct api_doctor *d);
DEFINE_AUTO_VALUE(struct api_doctor, api_doctor_done)

/** api_doctor_add - one more; lent until the next. */
struct api_doctor_entry *api_doctor_add(struct api_doctor *d);
/** api_doctor_get - of that subnet; NULL = none. Lent. */
const struct api_doctor_entry *api_doctor_get(const struct api_doctor *d, const char *subnet);
/** api_doctor_eq - the same was found, whenever that was. */
bool api_doctor_eq(const struct api_doctor *a, const struct api_doctor *b);

/** api_doctor_write - at most API_DOCTOR_BYTES: what fails comes first, what has no room is counted. */
void api_doctor_write(const struct api_doctor *d, struct sb *out);

/**
 * api_doctor_read - text that anybody may have written.
 *
 * ERR_DECODE for anything that api_doctor_write() does not write: too long, an unknown reason, a name that is none, two
 * of one name, control characters. Members that are not known are passed over. End *out with api_doctor_done().
 */
int api_doctor_read(const char *text, struct api_doctor *out, struct err *e) FN_MUST;

/** api_doctor_clean - a foreign text: what is not printable ASCII becomes '?', and it is cut. Returns out. */
char *api_doctor_clean(const void *text, size_t n, char *out, size_t size);

#endif
