/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The insides of the client, for its own files only: do.c (waits for a call) uses client.c; client.c (the queue,
 * and what is done with a call) uses call.c (what an attempt's end means; pure) and http.c (one attempt over
 * curl); these two use neither each other nor the others.
 */
#ifndef LIB_KUBE_CLIENT_INT_H
#define LIB_KUBE_CLIENT_INT_H

#include <curl/curl.h>
#include <sys/queue.h>

#include "lib/base/sb.h"
#include "lib/kube/account.h"
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

	char *method, *path, *url, *content_type, *accept, *body;
	size_t body_len, max_body;
	int64_t deadline_ms;
	int64_t max_silence_ms, heard_ms; /* heard_ms: when something last came */
	bool is_read;
	enum kube_priority priority;
	kube_data_fn *data; /* set = a stream */
	kube_done_fn *done;
	void *ctx;

	struct kube_heap_item
		wake; /* when the heap hands it out: deadline, end of pause or of silence */

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
	bool may_renew_token; /* there is a file to read it from, and that has not been done yet */
	struct kube_response res;
	bool failed;
	struct err err; /* of the last attempt */
};

TAILQ_HEAD(kube_calls, kube_call);

struct kube_client {
	char *server, *connect_to, *user_agent;
	char *ca_pem, *proxy, *no_proxy;
	struct kube_account account;
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

enum kube_http_result {
	KUBE_HTTP_ANSWERED = 0, /* with whatever status; the body is in call->in */
	KUBE_HTTP_CUT,          /* no answer or a part of one: the next attempt may fare better */
	KUBE_HTTP_REFUSED, /* no next attempt will: over max_body, data() said no, a bad certificate */
};

/* How an attempt ended. */
struct kube_http_end {
	enum kube_http_result result;
	int status;                 /* of an answer */
	int64_t retry_after_s;      /* its header, 0 = none */
	char text[CURL_ERROR_SIZE]; /* why it was cut or refused */
};

int kube_http_init(struct kube_client *c, struct err *e) FN_MUST;
void kube_http_done(struct kube_client *c);
int kube_http_start(struct kube_call *call, struct err *e) FN_MUST;
void kube_http_stop(struct kube_call *call);
/* Let curl work on what has arrived and is due. */
void kube_http_poll(struct kube_client *c);
/* The next attempt that curl is through with; it is still to be stopped. False = none. */
bool kube_http_next(struct kube_client *c, struct kube_call **call, struct kube_http_end *out);

/* call.c: what an attempt's end means. No I/O, no clock; res and err are filled in, the rest is for the caller */

enum kube_call_next {
	KUBE_CALL_DONE,        /* res is the answer */
	KUBE_CALL_FAIL,        /* for good; err says why */
	KUBE_CALL_PAUSE,       /* again after a pause */
	KUBE_CALL_RENEW_TOKEN, /* again at once, with the token read again; asked for once in a call */
};

/*
 * @random: spreads pauses (kube_client_random())
 * @pause_ms: set with KUBE_CALL_PAUSE; it ends before the deadline
 */
enum kube_call_next kube_call_judge(struct kube_call *call, const struct kube_http_end *end,
				    int64_t now_ms, uint64_t random, int64_t *pause_ms);
/* err is set: the call fails with it. KUBE_CALL_FAIL. */
enum kube_call_next kube_call_fail(struct kube_call *call);
/* The deadline is over in whatever state, or a stream has been silent for too long; the call fails. */
void kube_call_judge_expired(struct kube_call *call, int64_t now_ms);
/* ms, give or take a quarter. */
int64_t kube_jitter(uint64_t random, int64_t ms);

/* client.c */
uint64_t kube_client_random(struct kube_client *c);
/* A call just submitted starts at at_ms, not now. */
void kube_call_delay(struct kube_call *call, int64_t at_ms);
int64_t kube_client_jitter(struct kube_client *c, int64_t ms);

#endif
