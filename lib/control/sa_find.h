/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONTROL_SA_FIND_H
#define ESPALIER_CONTROL_SA_FIND_H

#include "control/call.h"

/* Parameter `direction`; 0 where it was left out. */
enum sa_direction call_direction(const struct call *call);

/*
 * The SA that direction, spi, remote and tunnel name. An inbound SPI is enough by
 * itself. NULL with the fault: ENOENT, or EINVAL where an outbound SPI stands alone.
 */
struct sa *call_sa(struct call *call);

/* The SA in the place of `spec`: its SPI, and outbound its peer; NULL if that is free. */
struct sa *find_spec(const struct gateway *g, const struct sa_spec *spec);
/* That SA if sa_add() of this very spec has made it: with its key, tunnel and algorithm. */
struct sa *find_same(const struct call *call, const struct sa_spec *spec);

#endif
