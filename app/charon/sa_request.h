/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ESPALIER_CHARON_SA_REQUEST_H
#define ESPALIER_CHARON_SA_REQUEST_H

#include "charon.h"
#include "sa_map.h"

/* Requests about one SA, made of what charon says. Each returns a code of the client. */

struct sa_use {
	uint64_t bytes, packets;
	time_t last_used_s; /* monotonic, as time_monotonic() counts; 0: never */
};

/* Refused, with a log line, where the gateway could not do what was negotiated. */
int sa_request_add(const struct sa *sa, const char *tunnel, const kernel_ipsec_add_sa_t *data);
int sa_request_query(const struct sa *sa, struct sa_use *use);
/* `remote`: the address of before, by which the gateway knows an outbound SA. */
int sa_request_update(const struct sa *sa, host_t *remote);
/* An SA, or an SPI that is only reserved. What cannot be told now is owed. */
void sa_request_delete(const struct sa *sa, const char *reason);

#endif
