/* The pod's MacvlanIP: the address that the controller has given it. */
#ifndef META_PLUGIN_RECORD_H
#define META_PLUGIN_RECORD_H

#include "lib/base/err.h"

struct api_ip;
struct app;
struct pod;

/**
 * record_wait - wait until the pod's record carries an address.
 * @cancel_fd: readable = stop waiting with ERR_CANCELLED
 *
 * One GET when it is there already, a watch on its name otherwise. A record of a former pod of that
 * name is "not there yet". One whose end has begun, or whose card is said to be down, is written before
 * it is returned (one PATCH of its status more): whoever would free its address has to look again. ERR_AGAIN with the reason (the record's own message where it has one) when the
 * deadline runs out. The caller frees *out.
 */
int record_wait(struct app *app, const struct pod *pod, int cancel_fd, struct api_ip **out,
		struct err *e) FN_MUST;

/**
 * record_wait_other - wait for another record, or another address in it, than *ip, which is in conflict.
 *
 * As record_wait(). On success *ip is replaced.
 */
int record_wait_other(struct app *app, const struct pod *pod, int cancel_fd, struct api_ip **ip,
		      struct err *e) FN_MUST;

#endif
