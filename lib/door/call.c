/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/door/call.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/auto.h"
#include "lib/base/clock.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/door/frame.h"
#include "lib/door/message.h"

/* A socket that somebody else listens on is no door. */
static int check_peer(int fd, struct err *e)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return err_errno(e, ERR_IO, errno, "SO_PEERCRED");
	if (peer.uid != 0)
		return err_set(e, ERR_IO, 0, "UID %u listens there, and not root",
			       (unsigned int)peer.uid);
	return 0;
}

static int connect_to(const char *path, int *out, struct err *e)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	AUTO(fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return err_errno(e, ERR_IO, errno, "socket");
	if (str_copy(addr.sun_path, sizeof(addr.sun_path), path) < 0)
		return err_set(e, ERR_IO, 0, "the path is too long for a socket");
	/* Where nobody comes to accept it says EAGAIN, and never waits. */
	if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0)
		return err_errno(e, ERR_IO, errno, "connect");
	if (check_peer(fd, e) < 0)
		return -1;
	*out = fd_steal(&fd);
	return 0;
}

/* Until fd can go on. 0, or -1 ERR_TIMEOUT, ERR_CANCELLED. */
static int wait_for(const struct door_call *call, int fd, short events, struct err *e)
{
	for (;;) {
		struct pollfd fds[2] = {{.fd = fd, .events = events},
					{.fd = call->cancel_fd, .events = POLLIN}};

		if (clock_now_ms() >= call->deadline_ms)
			return err_set(e, ERR_TIMEOUT, 0, "no answer in time");
		if (poll(fds, 2, clock_left_ms(call->deadline_ms)) < 0 && errno != EINTR)
			return err_errno(e, ERR_IO, errno, "poll");
		if (fds[1].revents)
			return err_set(e, ERR_CANCELLED, 0, "cancelled");
		if (fds[0].revents)
			return 0;
	}
}

static bool is_for_later(ssize_t n)
{
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static int send_all(const struct door_call *call, int fd, const struct sb *text, struct err *e)
{
	size_t sent = 0;

	while (sent < text->len) {
		ssize_t n = send(fd, text->data + sent, text->len - sent, MSG_NOSIGNAL);

		if (is_for_later(n)) {
			if (wait_for(call, fd, POLLOUT, e) < 0)
				return -1;
		} else if (n < 0) {
			return err_errno(e, ERR_IO, errno, "send");
		} else {
			sent += (size_t)n;
		}
	}
	return 0;
}

static int receive(const struct door_call *call, int fd, struct door_frame *in, struct err *e)
{
	char buf[16384];
	int rc = 0;

	while (rc == 0) {
		ssize_t n = recv(fd, buf, sizeof(buf), 0);

		if (is_for_later(n)) {
			if (wait_for(call, fd, POLLIN, e) < 0)
				return -1;
		} else if (n < 0) {
			return err_errno(e, ERR_IO, errno, "receive");
		} else if (n == 0) {
			return err_set(e, ERR_IO, 0, "it was closed without an answer");
		} else {
			rc = door_frame_feed(in, buf, (size_t)n, e);
		}
	}
	return rc < 0 ? -1 : 0;
}

static int exchange(const struct door_call *call, const struct door_request *req,
		    struct door_answer *out, struct err *e)
{
	AUTO(door_frame_done) struct door_frame in = {.max = DOOR_ANSWER_MAX};
	AUTO(sb_done) struct sb text = SB_INIT;
	AUTO(fd) int fd = -1;
	const char *answer;
	size_t len;

	door_request_write(req, &text);
	if (connect_to(call->path, &fd, e) < 0 || send_all(call, fd, &text, e) < 0 ||
	    receive(call, fd, &in, e) < 0)
		return -1;
	answer = door_frame_text(&in, &len);
	return door_answer_read(answer, len, out, e);
}

int door_ask(const struct door_call *call, const struct door_request *req, struct door_answer *out,
	     struct err *e)
{
	if (exchange(call, req, out, e) == 0)
		return 1;
	return e->kind == ERR_CANCELLED ? -1 : 0;
}
