/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of publish/ work with. */
#ifndef CONTROLLER_PUBLISH_PUBLISH_H
#define CONTROLLER_PUBLISH_PUBLISH_H

struct cluster;
struct process;
struct records;

/* All lent for the life of who is given them. Records must have begun to listen to the cluster before. */
struct publish_in {
	struct process *process;
	struct cluster *cluster;
	struct records *records;
	const char *copy_labels; /* --copy-labels; NULL = none */
};

#endif
