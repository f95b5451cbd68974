/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/kube/libraries.h"

#include <curl/curl.h>

const char *kube_libraries(void)
{
	return curl_version();
}
