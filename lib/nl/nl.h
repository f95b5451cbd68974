/* SPDX-License-Identifier: Apache-2.0 */
/* An rtnetlink socket, one request at a time; kernel answers become struct err. */
#ifndef LIB_NL_NL_H
#define LIB_NL_NL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"

struct nlmsghdr;
struct nlattr;
struct nl;

#define NL_REQ_SIZE 2048

/* A request under construction. What does not fit sets full, which is checked once, when it is sent. */
struct nl_req {
	_Alignas(8) unsigned char buf[NL_REQ_SIZE];
	bool full;
};

/** nl_open - a socket in the calling thread's network namespace. The caller closes it. ERR_KERNEL. */
int nl_open(struct nl **out, struct err *e) FN_MUST;

/**
 * nl_open_in - a socket in another network namespace.
 *
 * The calling thread visits the namespace and is back when this returns; other threads are not
 * touched. The socket stays in that namespace for its life and keeps it alive.
 */
int nl_open_in(int netns_fd, struct nl **out, struct err *e) FN_MUST;

/** nl_close - close and free; NULL is fine. */
void nl_close(struct nl *nl);
DEFINE_AUTO(struct nl, nl_close)

/** nl_fd - the descriptor, lent, for a child that sends one message of its own. */
int nl_fd(const struct nl *nl);

/**
 * nl_req_init - start a request.
 * @type: RTM_NEWLINK and so on
 * @flags: NLM_F_CREATE and so on; NLM_F_REQUEST and NLM_F_ACK are added where they belong
 * @head: the family's own header (struct ifinfomsg and so on), head_len bytes
 */
void nl_req_init(struct nl_req *r, uint16_t type, uint16_t flags, const void *head,
		 size_t head_len);
/** nl_req_put - add an attribute of n bytes. */
void nl_req_put(struct nl_req *r, uint16_t attr, const void *data, size_t n);
void nl_req_put_u8(struct nl_req *r, uint16_t attr, uint8_t value);
void nl_req_put_u16(struct nl_req *r, uint16_t attr, uint16_t value);
void nl_req_put_u32(struct nl_req *r, uint16_t attr, uint32_t value);
/** nl_req_put_str - add a string with its terminator. */
void nl_req_put_str(struct nl_req *r, uint16_t attr, const char *value);
/** nl_req_nest - open a nested attribute; NULL when it did not fit (nl_req_nest_end takes that). */
struct nlattr *nl_req_nest(struct nl_req *r, uint16_t attr);
void nl_req_nest_end(struct nl_req *r, struct nlattr *nest);

/** nl_talk - send a request and wait for the kernel's yes. ERR_KERNEL: errno and the kernel's text. */
int nl_talk(struct nl *nl, struct nl_req *r, struct err *e) FN_MUST;

/* Receives the answers of a query. */
struct nl_sink {
	/* One message. A failure ends the query with that error. */
	int (*msg)(const struct nlmsghdr *nlh, void *ctx, struct err *e);
	/* Forget what came so far: the kernel says that the dump was inconsistent. NULL for none. */
	void (*reset)(void *ctx);
	void *ctx;
};

/** nl_query - send a request for one object (NLM_F_ECHO or a plain GET) and pass the answer on. */
int nl_query(struct nl *nl, struct nl_req *r, const struct nl_sink *sink, struct err *e) FN_MUST;

/** nl_dump - like nl_query() for a whole table; started again when it changed under the dump. */
int nl_dump(struct nl *nl, struct nl_req *r, const struct nl_sink *sink, struct err *e) FN_MUST;

#endif
