/* The LAN card that a pod's k8s.v1.cni.cncf.io/network-status names. */
#ifndef API_CARD_H
#define API_CARD_H

#include "lib/base/ip.h"

struct api_pod_card {
	char ns[64];           /* the network's name is "<ns>/<subnet>" */
	struct ip_addr ips[2]; /* unset = none */
	struct mac_addr mac;   /* all zero = not said */
};

/**
 * api_pod_card_parse - the card of that subnet (NULL = none) which a value of the annotation names, in any
 *	namespace; NULL when there is none with an address, or the text is not what it should be.
 *
 * Whoever may edit the pod may have written it. The caller frees it.
 */
struct api_pod_card *api_pod_card_parse(const char *text, const char *subnet);

#endif
