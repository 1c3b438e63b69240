/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ESPALIER_CHARON_RESET_H
#define ESPALIER_CHARON_RESET_H

/*
 * Somebody has reset a tunnel: its CHILD_SAs are terminated, and it is initiated anew where
 * its configuration is known. Any thread; the work is charon's to do later.
 */
void reset_tunnel(const char *tunnel);

#endif
