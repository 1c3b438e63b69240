/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ESPALIER_CHARON_H
#define ESPALIER_CHARON_H

/* strongSwan's own headers; config.h, which they need, comes first on the command line. */
#include <daemon.h>
#include <kernel/kernel_ipsec.h>

#include <jansson.h>

/* Section of strongswan.conf, below the daemon's own. */
#define SETTINGS "%s.plugins.kernel-espalier."

/*
 * Tunnels, policies and SAs as charon knows them: the shadow from which a gateway
 * that was restarted is filled again. Keys are not in it. One mutex guards
 * tunnels and policies and is held during the requests that change them, so that the
 * gateway sees changes in the order of the shadow; SAs have their own, never held so.
 */
#define NAME_MAX_LEN 63 /* of a tunnel or policy */

#endif
