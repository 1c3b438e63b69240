/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONTROL_DISPATCH_H
#define ESPALIER_CONTROL_DISPATCH_H

#include "control/call.h"

/*
 * Find the method of a well-formed request, check the caller's rights and the
 * parameters, and call it. Sets call->result, or call->error with its code, or
 * call->again.
 */
void dispatch(struct call *call, const json_t *request);

/* True for methods that need every policy change before them to be in effect. */
bool dispatch_needs_settled(const json_t *request);

#endif
