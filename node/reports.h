/* SPDX-License-Identifier: Apache-2.0 */
/* What a node has to say about a record, from its state files. Pure: no I/O, no clock of its own. */
#ifndef NODE_REPORTS_H
#define NODE_REPORTS_H

#include <stdbool.h>

struct api_ip;
struct files;
struct sb;

enum report {
	REPORT_NOTHING = 0,
	REPORT_ATTACHED, /* the pod's card is up */
	REPORT_DOWN,     /* there is none and none is being made, and somebody waits to hear it */
	REPORT_MISSING,  /* it was attached, and there is none any more */
	REPORT_WAIT,     /* missing or without a card, if that stays so for a while */
	REPORT_CARD,     /* asked which card the pod has: this one */
	REPORT_NO_CARD,  /* likewise: it has none */
};

/**
 * report_of - compare a record with the files.
 * @settled: that there is no file has been so for a while: a sandbox is not just being made again
 *
 * An unfinished file of the pod, or one of an earlier boot, leaves everything open.
 */
enum report report_of(const struct api_ip *rec, const char *node, const struct files *files,
		      bool settled);

/**
 * report_write - the merge patch of the record's status.
 *
 * What REPORT_CARD tells stands in the pod's file. It holds for this record in this state alone (UID and resourceVersion), so that neither a later pod of the
 * name nor a card that is being made meanwhile is spoken for.
 */
void report_write(enum report report, const struct api_ip *rec, const char *node,
		  const struct files *files, struct sb *out);

/** report_name - for logs. */
const char *report_name(enum report report);

#endif
