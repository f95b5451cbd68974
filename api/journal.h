/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal of addresses: who had which, from when until when. A change is a line. Lines wait in the status of their
 * subnet, and go from there in batches into the parts of the journal, a ring of ConfigMaps. Pure.
 */
#ifndef API_JOURNAL_H
#define API_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"
#include "lib/base/ip.h"

struct jval;
struct jw;
struct sb;

/* ------------------------------------------------------------------ a line */

/* One address of one pod began or ended. Texts are lent, "" = not known; none has a blank in it. */
struct api_change {
	int64_t at; /* seconds since 1970 */
	bool given; /* else ended */
	struct ip_addr addr;
	const char *pod; /* "namespace/name" */
	const char *pod_uid, *node, *mac, *record_uid;
	const char *why; /* of an end: api_change_why() */
};

/** api_change_tail - all but time, direction and address: "POD POD-UID NODE MAC RECORD-UID WHY". The caller frees it. */
char *api_change_tail(const struct api_change *c);
/** api_change_line - "TIME +|- ADDRESS TAIL"; tail as above. The caller frees it. */
char *api_change_line(const struct api_change *c, const char *tail);
/** api_change_parse - texts are lent from the line, which is cut up. -1: it is none. */
int api_change_parse(char *line, struct api_change *out) FN_MUST;
/** api_change_why - a line's word for the end of an address, in words for people; the word itself if it is unknown. */
const char *api_change_why(const char *word);
/** api_change_json - as an object, for logs and for programs. */
void api_change_json(const struct api_change *c, const char *subnet, uint64_t number, struct jw *w);

/* ------------------------------------------------------------------ lines that wait */

#define API_JOURNAL_WAITING_BYTES (200 * 1024) /* in the status of a subnet */

/* The last ones of a subnet: what is written next has the number next. */
struct api_lines {
	uint64_t next; /* 0 = none was ever written */
	char **v;      /* those before it */
	size_t n, bytes;
};

void api_lines_done(struct api_lines *l);
DEFINE_AUTO_VALUE(struct api_lines, api_lines_done)
/** api_lines_add - one more; taken. */
void api_lines_add(struct api_lines *l, char *line_take);
/** api_lines_cut - forget those with numbers below that one. */
void api_lines_cut(struct api_lines *l, uint64_t below);
/** api_lines_number - of the i-th. */
uint64_t api_lines_number(const struct api_lines *l, size_t i);
/** api_lines_read - out of a MacvlanSubnet's status.journal; what is strange there is left out. */
void api_lines_read(const struct jval *journal, struct api_lines *out);
/** api_lines_write - as the value of a key: of both together the last ones that fit into max bytes. */
void api_lines_write(struct jw *w, const struct api_lines *l, const struct api_lines *more,
		     size_t max);

/* ------------------------------------------------------------------ the parts */

#define API_JOURNAL_PART       "tandem-journal-" /* and its place in the ring, from 0 on */
#define API_JOURNAL_PARTS_MAX  16                /* as many names the controller has rights to */
#define API_JOURNAL_PART_BYTES (256 * 1024)
#define API_JOURNAL_HEAD       "head"
#define API_JOURNAL_HASH_LEN   65

/* What a part says of itself, under the key API_JOURNAL_HEAD. */
struct api_journal_head {
	uint64_t part;  /* grows with each part that is begun; 0 = there is none */
	uint64_t batch; /* the last one in it; they are numbered through all parts */
	char hash[API_JOURNAL_HASH_LEN]; /* of that batch */
	uint64_t bytes;                  /* of all batches in it */
	int64_t newest;                  /* time of its last line */
};

/** api_journal_head_text - "PART BATCH HASH BYTES NEWEST". The caller frees it. */
char *api_journal_head_text(const struct api_journal_head *h);
int api_journal_head_parse(const char *text, struct api_journal_head *out) FN_MUST;
/** api_journal_key - of a batch, in the part's data. Returns buf. */
char *api_journal_key(uint64_t batch, char buf[24]);

/*
 * A batch is text: "prev HASH", the hash of the batch before it, and then lines "SUBNET NUMBER LINE". Its own hash is
 * that of the text.
 */
void api_journal_begin(struct sb *batch, const char *prev);
void api_journal_add(struct sb *batch, const char *subnet, uint64_t number, const char *line);

#endif
