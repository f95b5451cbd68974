/* SPDX-License-Identifier: Apache-2.0 */
/* How each sort of field of a network is read, written, compared and kept. For network.c, which has the table. */
#ifndef API_NETWORK_FIELD_H
#define API_NETWORK_FIELD_H

#include "api/network.h"

/*
 * A field: where it stands in the objects and in the struct. What is absent is zero there, its default, unless
 * its type says otherwise.
 */
struct api_field {
	const char *key;       /* in a MacvlanIP's spec */
	const char *in_subnet; /* in a MacvlanSubnet's, where that differs, with dots */
	const struct api_field_type *type;
	size_t offset, size;
	bool or_zero; /* of a number: 0 may stand for "as it is" beside min to max */
	int64_t min, max;
};

/* Where a field is being read, for messages. */
struct api_field_place {
	const struct api_field *f;
	const char *path;
};

struct api_field_type {
	int (*read)(const struct jval *spec, const struct api_field_place *at,
		    struct api_network *n, struct err *e);
	void (*write)(struct jw *w, const struct api_field *f, const struct api_network *n,
		      bool patch);
	/* Not to be written: NULL = it always is. */
	bool (*is_absent)(const struct api_field *f, const struct api_network *n);
	/* NULL = by its bytes. */
	bool (*eq)(const struct api_field *f, const struct api_network *a,
		   const struct api_network *b);
	/* What a copy of its bytes still shares becomes its own; and is freed. NULL = nothing. */
	void (*own)(struct api_network *n);
	void (*done)(struct api_network *n);
};

static inline void *api_field_at(struct api_network *n, const struct api_field *f)
{
	return (char *)n + f->offset;
}

static inline const void *api_field_in(const struct api_network *n, const struct api_field *f)
{
	return (const char *)n + f->offset;
}

/** api_field_bad - a rule of the spec is broken, told by path: what a user can fix. ERR_CONFIG. */
int api_field_bad(struct err *e, const char *path, const char *key, const char *value,
		  const char *why);

/** api_field_write_absent - null takes the key away in a merge patch; a new object must not have it. */
void api_field_write_absent(struct jw *w, const char *key, bool patch);

/* network_master.c */
extern const struct api_field_type api_field_master;
extern const struct api_field_type api_field_master_selector; /* the master has been read before it */
/* network_scalar.c */
extern const struct api_field_type api_field_number; /* uint16_t or uint32_t, by its size */
extern const struct api_field_type api_field_link_type;
extern const struct api_field_type api_field_mode; /* the link type has been read before it */
extern const struct api_field_type api_field_addr;
extern const struct api_field_type api_field_switch;
/* network_list.c */
extern const struct api_field_type api_field_routes;
extern const struct api_field_type api_field_default_gateway;

#endif
