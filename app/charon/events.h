/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ESPALIER_CHARON_EVENTS_H
#define ESPALIER_CHARON_EVENTS_H

/*
 * The thread that reads the gateway's events and tells charon of them: lifetimes, traffic
 * for traps, NAT mappings, resets. It also brings a gateway up to date that was restarted,
 * and asks one that does not answer whether it does again.
 */
void events_start(void);
void events_stop(void);

#endif
