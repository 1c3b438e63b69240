/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_MTU_PAYLOAD_H
#define ESPALIER_MTU_PAYLOAD_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Largest inner packet of a tunnel whose outer packets may have `outer_mtu`
 * bytes: outer IP header, UDP header with NAT-T, ESP header 8, IV 8, ICV 16,
 * padding to 4 bytes and the 2-byte trailer (RFC 4303 2.4, RFC 4106 3). 0 if
 * nothing fits. Any thread.
 */
uint16_t mtu_payload(uint16_t outer_mtu, uint8_t outer_family, bool udp);

#endif
