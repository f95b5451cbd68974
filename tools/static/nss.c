/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Linked into the static programs alone, with ld's --wrap=getaddrinfo.
 *
 * The static glibc still reads the host's nsswitch.conf, and for a service that is not built in
 * ("resolve", "mymachines") it loads the host's shared module, and the host's libc with it: of another
 * version than ours that ends in a crash. Host names are therefore looked up in /etc/hosts and by
 * DNS, both of which are in libc.a since 2.34, whatever nsswitch.conf says.
 */
#include <netdb.h>
#include <nss.h>
#include <pthread.h>

int __real_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
		       struct addrinfo **out_list);
int __wrap_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
		       struct addrinfo **out_list);

static void use_builtin_services(void)
{
	__nss_configure_lookup("hosts", "files dns");
}

int __wrap_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
		       struct addrinfo **out_list)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, use_builtin_services);
	return __real_getaddrinfo(node, service, hints, out_list);
}
