/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONTROL_CLAIM_H
#define ESPALIER_CONTROL_CLAIM_H

#include "control/call.h"

/*
 * A method's function says what it has added, found there already (exist_ok) or
 * updated: it belongs to the caller's session from now on (session.h) and is not
 * marked. What a nameless client or the configuration installed stays nobody's
 * (`created` false), and a nameless caller takes nothing from a session.
 */
void claim_sa(struct call *call, struct sa *sa, bool created);
void claim_tunnel(struct call *call, struct tunnel *t, bool created);
void claim_policy(struct call *call, uint32_t id, bool created);

/* spi_alloc() made it: it is given back when the caller's session, or a nameless caller, ends. */
int claim_spi(struct call *call, uint32_t spi);
/* spi_release() took it; claim_sa() says so by itself. */
void unclaim_spi(struct call *call, uint32_t spi);

#endif
