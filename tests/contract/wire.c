/* SPDX-License-Identifier: Apache-2.0 */
/* wire LINK HEX...: puts each frame on that link of this network namespace, as it is. */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static size_t bytes_of(const char *hex, unsigned char *out, size_t max)
{
	size_t n = 0;

	for (; hex[0] && hex[1] && n < max; hex += 2) {
		char byte[3] = {hex[0], hex[1]};

		out[n++] = (unsigned char)strtoul(byte, NULL, 16);
	}
	return n;
}

int main(int argc, char **argv)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	struct sockaddr_ll to = {.sll_family = AF_PACKET};

	if (argc < 3 || fd < 0)
		return 2;
	to.sll_ifindex = (int)if_nametoindex(argv[1]);
	for (int i = 2; i < argc; i++) {
		unsigned char frame[1514];
		size_t n = bytes_of(argv[i], frame, sizeof(frame));

		if (sendto(fd, frame, n, 0, (struct sockaddr *)&to, sizeof(to)) != (ssize_t)n) {
			perror(argv[1]);
			return 1;
		}
	}
	return 0;
}
