/* SPDX-License-Identifier: Apache-2.0 */
/* Why a pod has no card, for who prints it. */
#ifndef KUBECTL_WHY_H
#define KUBECTL_WHY_H

#include "kubectl/rules/why.h"
#include "lib/base/err.h"

struct cli;
struct jw;

/** why_read - ask the API server all that it takes, and walk. Errors of cli_read(). */
int why_read(struct cli *cli, const char *ns, const char *name, struct why *out,
	     struct err *e) FN_MUST;
/** why_write - as JSON. */
void why_write(struct jw *w, const struct why *why);

#endif
