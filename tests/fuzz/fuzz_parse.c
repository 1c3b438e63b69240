/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "packet/packet.h"
#include "spd/selector.h"

/* Input: how many bytes more there are in later segments (2), then the packet. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2 || size > 65535)
		return -1;
	uint32_t avail = (uint32_t)size - 2;
	uint32_t total = avail + load_be16(data);
	uint8_t *copy = malloc(avail > 0 ? avail : 1); /* no byte more, so that overreads show */
	struct packet p = {.ip = copy, .flags = 0xff};
	struct flow f;

	memcpy(copy, data + 2, avail);
	if (packet_parse_ip(&p, avail, total) == 0) {
		must(p.l4_off <= p.ip_len && p.l4_off <= avail && p.ip_len <= total);
		must(p.family == 4 || p.family == 6);
		must((p.flags & PACKET_NOT_FIRST) == 0 || (p.flags & PACKET_FRAGMENT) != 0);
		flow_read(&p, avail, true, &f);
		must(!f.ports_known || p.l4_off + 4u <= avail);
	}
	free(copy);
	return 0;
}
