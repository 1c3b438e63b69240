/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_ESPALIERD_NOTIFY_H
#define ESPALIER_ESPALIERD_NOTIFY_H

#include <stdbool.h>

/*
 * sd_notify(3)'s protocol: send `state` ("READY=1") to $NOTIFY_SOCKET, a path or
 * an abstract name behind @. Without the variable nothing happens.
 */
void notify(const char *state);

/* True where systemd wants WATCHDOG=1 from this process now and then. */
bool notify_watchdog_wanted(void);

#endif
