#include "lib/kube/libraries.h"

#include <curl/curl.h>

const char *kube_libraries(void)
{
	return curl_version();
}
