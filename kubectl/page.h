/* SPDX-License-Identifier: Apache-2.0 */
/* What the page asks: a few questions about our kinds, and three changes of subnets. For the files of this folder only. */
#ifndef KUBECTL_PAGE_H
#define KUBECTL_PAGE_H

#include <stdbool.h>

#include "lib/base/err.h"

struct cli;
struct http_request;
struct httpd_response;
struct sb;

/* Bytes of a name, a UID or a version. */
#define PAGE_WORD_LEN 254

/**
 * page_word - the value of a key of the query, of the characters that names, UIDs and versions have; "" = absent.
 *
 * false: it has another one, or is too long.
 */
bool page_word(const struct http_request *req, const char *key, char out[PAGE_WORD_LEN]);
/** page_fail - an error as the answer: {"status":403,"message":"..."}, with that status. */
void page_fail(struct httpd_response *res, int status, const char *message);

/* The answers, as JSON; cli is for this request alone. What fails is an error of the API server, or ERR_CONFIG. */

/** page_read_subnets - all of them, with where they are. */
int page_read_subnets(struct cli *cli, const struct http_request *req, struct sb *out,
		      struct err *e) FN_MUST;
/** page_read_subnet - one object as it stands: ?name= */
int page_read_subnet(struct cli *cli, const struct http_request *req, struct sb *out,
		     struct err *e) FN_MUST;
/** page_read_addresses - those of one subnet, or of all: ?subnet=&workloads= */
int page_read_addresses(struct cli *cli, const struct http_request *req, struct sb *out,
			struct err *e) FN_MUST;
/** page_read_why - of one pod: ?namespace=&pod= */
int page_read_why(struct cli *cli, const struct http_request *req, struct sb *out,
		  struct err *e) FN_MUST;

/* All with ?dryRun=1 as a trial: the API server and the webhook answer, and nothing is written. */

/** page_create_subnet - {"name": ..., "spec": {...}} */
int page_create_subnet(struct cli *cli, const struct http_request *req, struct sb *out,
		       struct err *e) FN_MUST;
/** page_edit_subnet - ?name=, {"resourceVersion": ..., "spec": {...}}: only what does not move running pods. */
int page_edit_subnet(struct cli *cli, const struct http_request *req, struct sb *out,
		     struct err *e) FN_MUST;
/** page_delete_subnet - ?name=&uid=: the one that was looked at. */
int page_delete_subnet(struct cli *cli, const struct http_request *req, struct sb *out,
		       struct err *e) FN_MUST;

#endif
