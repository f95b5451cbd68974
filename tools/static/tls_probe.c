/* SPDX-License-Identifier: Apache-2.0 */
/* One GET over TLS: tls_probe URL CAFILE. Prints the HTTP status. For tls_test.sh. */
#include <curl/curl.h>
#include <stdio.h>

static size_t drop(char *data, size_t size, size_t n, void *arg)
{
	(void)data;
	(void)arg;
	return size * n;
}

int main(int argc, char **argv)
{
	CURL *h;
	CURLcode rc;
	long status = 0;

	if (argc != 3 || curl_global_init(CURL_GLOBAL_DEFAULT))
		return 2;
	h = curl_easy_init();
	curl_easy_setopt(h, CURLOPT_URL, argv[1]);
	curl_easy_setopt(h, CURLOPT_CAINFO, argv[2]);
	curl_easy_setopt(h, CURLOPT_TIMEOUT, 10L);
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, drop);
	rc = curl_easy_perform(h);
	curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &status);
	if (rc)
		printf("%s\n", curl_easy_strerror(rc));
	else
		printf("%ld\n", status);
	curl_easy_cleanup(h);
	curl_global_cleanup();
	return rc ? 1 : 0;
}
