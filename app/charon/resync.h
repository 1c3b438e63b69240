/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ESPALIER_CHARON_RESYNC_H
#define ESPALIER_CHARON_RESYNC_H

#include "charon.h"

/*
 * After a connection was made: the gateway may have been restarted, or events may have been
 * missed. Tunnels and policies are installed again; charon is told to rekey each
 * CHILD_SA whose SAs the gateway has lost (their keys are never used again, since the
 * sequence numbers of outbound ones would repeat), and of limits that were passed
 * meanwhile. False where the connection failed: to be called again.
 */
bool resync(void);

#endif
