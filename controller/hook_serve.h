/* What is answered to whom: paths, and reviews of subnets and workloads. */
#ifndef CONTROLLER_HOOK_SERVE_H
#define CONTROLLER_HOOK_SERVE_H

#include <stdbool.h>

struct http_request;
struct httpd_response;

/** hook_serve - a httpd_handler_fn; ctx is the struct app. */
void hook_serve(void *ctx, const struct http_request *req, struct httpd_response *res);

#endif
