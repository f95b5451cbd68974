/* SPDX-License-Identifier: Apache-2.0 */
/* What is answered to whom: paths, and reviews of subnets, workloads and records. */
#ifndef CONTROLLER_ADMISSION_SERVE_H
#define CONTROLLER_ADMISSION_SERVE_H

#include <stdbool.h>

struct http_request;
struct httpd_response;

/** webhook_serve - a httpd_handler_fn; ctx is a struct admission_view. */
void webhook_serve(void *ctx, const struct http_request *req, struct httpd_response *res);

#endif
