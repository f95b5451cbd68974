/* The insides of the client, for its own files only. */
#ifndef LIB_KUBE_CLIENT_INT_H
#define LIB_KUBE_CLIENT_INT_H

#include <curl/curl.h>
#include <sys/queue.h>

#include "lib/base/sb.h"
#include "lib/kube/client.h"
#include "lib/kube/heap.h"

enum call_state {
	CALL_QUEUED,   /* in one of client->queues, waits for its turn */
	CALL_RUNNING,  /* with curl */
	CALL_PAUSED,   /* before a repeat: wake */
	CALL_FINISHED, /* in client->finished, waits for its callback */
	CALL_ZOMBIE,   /* in client->zombies: cancelled from inside curl */
};

struct kube_call {
	struct kube_client *client;
	enum call_state state;
	TAILQ_ENTRY(kube_call) link; /* of queue, finished or zombies */

	char *method, *path, *url, *content_type, *body;
	size_t body_len, max_body;
	int64_t deadline_ms;
	bool is_read;
	enum kube_priority priority;
	kube_data_fn *data; /* set = a stream */
	kube_done_fn *done;
	void *ctx;

	struct kube_heap_item wake; /* when the heap hands it out: deadline or end of pause */

	/* of this attempt */
	CURL *easy;
	struct curl_slist *headers;
	char curl_text[CURL_ERROR_SIZE];
	struct sb in;
	bool sent;        /* the request may have left us */
	bool over_cap;    /* the answer was longer than max_body */
	bool data_failed; /* data() said no: err has its reason */

	/* of all attempts */
	unsigned int attempts;
	bool token_renewed;
	struct kube_response res;
	bool failed;
	struct err err; /* of the last attempt */
};

TAILQ_HEAD(kube_calls, kube_call);

struct kube_client {
	char *server, *connect_to, *user_agent;
	char *ca_pem, *cert_pem, *key_pem;
	char *token, *token_file;
	int64_t token_read_ms;
	bool insecure, has_gzip;

	CURLM *multi;
	CURLSH *share;
	struct curl_slist *connect_list;
	CURL *idle[16];
	size_t n_idle;
	int epfd, timerfd, cancel_fd;
	int64_t curl_wake_ms; /* -1 = curl waits for sockets only */
	bool in_curl;

	struct kube_calls queues[KUBE_IDLE + 1], finished, zombies;
	struct kube_heap heap; /* all calls that wait or run */
	unsigned int max_running, running, queued;
	void (*before_send)(void *ctx);
	void *before_send_ctx;
	double qps, burst, tokens;
	int64_t tokens_us;
	uint64_t random;
	struct kube_client_stats stats;
};

/* http.c: one attempt over curl */
int kube_http_init(struct kube_client *c, struct err *e) FN_MUST;
void kube_http_done(struct kube_client *c);
int kube_http_start(struct kube_call *call, struct err *e) FN_MUST;
void kube_http_stop(struct kube_call *call);
void kube_http_poll(struct kube_client *c);

/* call.c: what an attempt's end means */
void kube_call_attempt_done(struct kube_call *call, CURLcode rc);
void kube_call_expired(struct kube_call *call);
void kube_call_fail(struct kube_call *call);
void kube_call_free(struct kube_call *call);

/* client.c: the queue */
void kube_call_enqueue(struct kube_call *call, bool first);
void kube_call_pause(struct kube_call *call, int64_t until_ms);
void kube_call_finish(struct kube_call *call);
/* A call just submitted starts at at_ms, not now. */
void kube_call_delay(struct kube_call *call, int64_t at_ms);
int64_t kube_client_jitter(struct kube_client *c, int64_t ms);
void kube_client_renew_token(struct kube_client *c, int64_t max_age_ms);

#endif
