/* SPDX-License-Identifier: Apache-2.0 */
/* Which endpoint stands in which EndpointSlice: stable, and with few writes. Pure. */
#ifndef CONTROLLER_RULES_SVC_PACK_H
#define CONTROLLER_RULES_SVC_PACK_H

#include "api/endpoints.h"

enum svc_pack_kind { SVC_PACK_CREATE, SVC_PACK_UPDATE, SVC_PACK_DELETE };

/* One write. */
struct svc_pack_op {
	enum svc_pack_kind kind;
	char *name;                             /* of the slice */
	const struct api_slice *have;           /* lent; NULL with CREATE */
	const struct api_endpoint_group *group; /* lent; NULL with DELETE */
	const struct api_endpoint **eps;        /* lent endpoints of the group */
	size_t n_eps;
};

struct svc_pack {
	struct svc_pack_op *ops;
	size_t n;
};

struct svc_pack_in {
	const char *service;   /* new slices are named "<service>-<number>" */
	const char *owner_uid; /* the Service's; a slice of another one is deleted, never used */
	const struct api_endpoint_group *groups;
	size_t n_groups;
	const struct api_slice *const *have; /* all slices of ours for the service */
	size_t n_have;
	size_t max; /* endpoints of one slice */
};

/**
 * svc_pack_plan - the writes that make the slices hold exactly the groups' endpoints.
 *
 * A slice whose endpoints all stay as they are is not written, unless it is the one that takes up a few
 * new ones. New endpoints first fill slices that are written anyway; what is left of several written
 * slices is drawn together into as few as will do. A slice of no use to its former ports serves others
 * of its family before a new one is made. Deletions come last, and what is drawn together is written where
 * it goes before where it came from: nothing is missing in between. End *out with svc_pack_done().
 */
void svc_pack_plan(const struct svc_pack_in *in, struct svc_pack *out);
void svc_pack_done(struct svc_pack *p);
DEFINE_AUTO_VALUE(struct svc_pack, svc_pack_done)

#endif
