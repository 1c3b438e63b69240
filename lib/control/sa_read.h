/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONTROL_SA_READ_H
#define ESPALIER_CONTROL_SA_READ_H

#include <jansson.h>

#include "control/method.h"
#include "worker/gateway.h"

/*
 * The parameters of sa.add, read one by one into what sa_add() takes. Values have
 * been validated against sa_add_params; a reading holds a key once it is finished
 * and is to be wiped. It may be copied before it is finished: what many SAs have
 * alike is read once.
 */
struct sa_reading {
	struct sa_spec spec;
	uint32_t given; /* which parameters, a bit for each place in sa_add_params */
	const struct tunnel *tunnel;
	const json_t *key; /* borrowed until the reading is finished */
};

/* The defaults of the table. */
void sa_read_begin(struct sa_reading *r);

/*
 * One parameter, by its place in sa_add_params; not `selectors`. 0, or -errno with the
 * parameter's name in *fault: there is no such tunnel.
 */
int sa_read(struct sa_reading *r, const struct gateway *g, unsigned int place, const json_t *value,
	    struct fault *fault);

/* Those of an object, with `selectors`, for which the caller has SA_SELECTORS_MAX ready. */
int sa_read_object(struct sa_reading *r, const struct gateway *g, const json_t *object,
		   struct selector *selectors, struct fault *fault);

/* Check what must fit together, fill in what the tunnel says, decode the key. 0 or -errno. */
int sa_read_finish(struct sa_reading *r, struct fault *fault);

/* The place of a parameter of sa.add; -1 if there is none. */
int sa_read_place(const char *name);

#endif
