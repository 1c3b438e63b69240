/* SPDX-License-Identifier: BSD-3-Clause */
#include "mtu/payload.h"

uint16_t mtu_payload(uint16_t outer_mtu, uint8_t outer_family, bool udp)
{
	/* SPI and sequence number, IV, ICV. */
	unsigned int around = (outer_family == 4 ? 20 : 40) + (udp ? 8 : 0) + 8 + 8 + 16;

	if (outer_mtu < around + 4)
		return 0;
	/* What is sealed ends on 4 bytes and holds pad length and next header. */
	return (uint16_t)(((outer_mtu - around) & ~3u) - 2);
}
