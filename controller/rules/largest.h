/* SPDX-License-Identifier: Apache-2.0 */
/* The largest holders of a subnet's addresses: namespaces by their cards, workloads by what they keep without pods. */
#ifndef CONTROLLER_RULES_LARGEST_H
#define CONTROLLER_RULES_LARGEST_H

#include <stddef.h>

#define LARGEST_MAX      3
#define LARGEST_NAME_LEN 340 /* "StatefulSet namespace/name" */
#define LARGEST_TEXT_LEN (LARGEST_MAX * 110)

struct jw;

/* The most first, of two alike by name. All zero = none. */
struct largest {
	struct {
		char name[LARGEST_NAME_LEN];
		size_t count;
	} items[LARGEST_MAX];
	size_t n;
};

/** largest_add - one more holder; it stays if it is one of the largest. 0 is none. */
void largest_add(struct largest *l, const char *name, size_t count);
/** largest_format - "; largest holders: namespace a (12), Deployment b/web (4)", "" for none. Returns buf. */
char *largest_format(const struct largest *l, char buf[LARGEST_TEXT_LEN]);
/** largest_write - the member "holders" of status; null for none. */
void largest_write(struct jw *w, const struct largest *l);

#endif
