/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ESPALIER_CHARON_REASONS_H
#define ESPALIER_CHARON_REASONS_H

#include "charon.h"

/*
 * Why SAs go: kernel_ipsec_t passes no reasons, so they are taken from what charon's bus
 * says about the IKE_SA before. Any thread.
 */
void reasons_open(void);
void reasons_close(void);
listener_t *reasons_listener(void);

/* Of the IKE_SA that the calling thread works on: a short phrase; NULL: nobody knows. */
const char *reason_now(void);

#endif
