/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_FUZZ_CONTROL_EMPTY_H
#define ESPALIER_FUZZ_CONTROL_EMPTY_H

#include "control/state.h"
#include "gateway_in_memory.h"

/*
 * Back to an empty gateway without sessions, so that an input does the same each
 * time. Checks that a session sweeps just what it counts as its own. Nobody is
 * connected any more.
 */
void control_empty(struct control *c, struct inprocess *gateway);

#endif
