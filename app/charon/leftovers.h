/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ESPALIER_CHARON_LEFTOVERS_H
#define ESPALIER_CHARON_LEFTOVERS_H

#include "tunnel_map.h"

/*
 * What an earlier charon, which crashed, has left in the gateway carries traffic until it is
 * replaced, or for the time of grace. The thread that reads events, unless said otherwise.
 */

/* After the first connection: looks whether there is anything. */
void leftovers_look(void);

/* Any thread: charon has installed an outbound SA in this tunnel; older ones are in its way. */
void leftovers_replaced(struct tunnel *t);

/* About once a second: after the time of grace sweeps what is left. */
void leftovers_tick(void);

#endif
