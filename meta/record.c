#include "meta/record.h"

#include <stdbool.h>

#include "api/ip.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/kube/client.h"
#include "lib/kube/path.h"
#include "lib/kube/wait.h"
#include "meta/app.h"
#include "meta/pod.h"

struct wanted {
	const struct pod *pod;
	const struct api_ip *refused; /* somebody else has its address; NULL = none was refused */
	struct api_ip *found;
};

static bool is_refused(const struct api_ip *ip, const struct api_ip *refused)
{
	return refused && str_eq(ip->meta.uid, refused->meta.uid) &&
	       ip_eq(&ip->cidr.addr, &refused->cidr.addr) &&
	       ip_eq(&ip->cidr6.addr, &refused->cidr6.addr);
}

/* Leaves the reason in e and says "not yet": the time-out's text ends with it. */
static int ready(void *ctx, const struct jval *obj, struct err *e)
{
	AUTO(api_ip_free) struct api_ip *ip = NULL;
	struct wanted *w = ctx;

	if (!obj) {
		err_set(e, ERR_AGAIN, 0,
			"there is none: is tandem-controller running? The pod's events may say more");
		return 0;
	}
	if (api_ip_decode(obj, &ip, e) < 0)
		return -1;
	if (!str_eq(ip->pod_id, w->pod->uid)) {
		err_set(e, ERR_AGAIN, 0, "it still belongs to a former pod of that name (UID %s)",
			ip->pod_id);
		return 0;
	}
	if (!api_ip_is_allocated(ip)) {
		err_set(e, ERR_AGAIN, 0, "it has no address yet%s%s",
			*ip->message ? ": " : "; the pod's events may say why", ip->message);
		return 0;
	}
	/* The controller has begun to end it. A deletion by hand is another matter: that card is kept. */
	if (is_refused(ip, w->refused) || (ip->phase == API_IP_CONFLICT && ip->meta.deletion)) {
		err_set(e, ERR_AGAIN, 0,
			"%s; it has no other address yet, the pod's events say why",
			*ip->message ? ip->message : "another machine has its address");
		return 0;
	}
	w->found = STEAL(ip);
	return 1;
}

static int wait_for(struct app *app, struct wanted *wanted, int cancel_fd, struct err *e)
{
	const struct pod *pod = wanted->pod;
	AUTO(free)
	char *collection = kube_path(API_GROUP_VERSION, pod->ns, API_PLURAL_IP, NULL, NULL);
	struct kube_wait wait = {.collection = collection,
				 .name = pod->name,
				 .ready = ready,
				 .ctx = wanted,
				 .deadline_ms = app->deadline_ms};
	struct kube_client *client;
	int r;

	if (app_client(app, &client, e) < 0)
		return -1;
	kube_client_set_cancel_fd(client, cancel_fd);
	r = kube_wait(client, &wait, e);
	kube_client_set_cancel_fd(client, -1);
	if (r == 0)
		return 0;
	if (e->kind == ERR_TIMEOUT)
		e->kind = ERR_AGAIN;
	return err_wrap(e, "address of pod %s/%s", pod->ns, pod->name);
}

int record_wait(struct app *app, const struct pod *pod, int cancel_fd, struct api_ip **out,
		struct err *e)
{
	struct wanted wanted = {.pod = pod};

	if (wait_for(app, &wanted, cancel_fd, e) < 0)
		return -1;
	*out = wanted.found;
	return 0;
}

int record_wait_other(struct app *app, const struct pod *pod, int cancel_fd, struct api_ip **ip,
		      struct err *e)
{
	struct wanted wanted = {.pod = pod, .refused = *ip};

	if (wait_for(app, &wanted, cancel_fd, e) < 0)
		return -1;
	api_ip_free(*ip);
	*ip = wanted.found;
	return 0;
}
