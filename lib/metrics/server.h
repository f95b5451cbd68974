/* SPDX-License-Identifier: Apache-2.0 */
/* /metrics over plain HTTP, and /healthz beside it. */
#ifndef LIB_METRICS_SERVER_H
#define LIB_METRICS_SERVER_H

#include "lib/base/auto.h"
#include "lib/base/err.h"
#include "lib/base/sb.h"

struct metrics_server;

/* Writes every family. Must not free the server. */
typedef void metrics_write_fn(void *ctx, struct sb *out);

/**
 * metrics_server_new - listen.
 * @bind: as of httpd_new(); "" and "0" = nowhere, *out stays NULL
 *
 * ERR_CONFIG: not an address; ERR_IO.
 */
int metrics_server_new(const char *bind, metrics_write_fn *write, void *ctx,
		       struct metrics_server **out, struct err *e) FN_MUST;
/** metrics_server_fd - to be watched for reading; -1 = off. Lent. */
int metrics_server_fd(const struct metrics_server *s);
/** metrics_server_dispatch - answer who has asked. NULL is ignored. ERR_IO. */
int metrics_server_dispatch(struct metrics_server *s, struct err *e) FN_MUST;
/** metrics_server_free - NULL is ignored. */
void metrics_server_free(struct metrics_server *s);
DEFINE_AUTO(struct metrics_server, metrics_server_free)

#endif
