/* SPDX-License-Identifier: BSD-3-Clause */
#include "esp/esp.h"
#include "packet/checksum.h"

#define IPV6_HEADER 40

void esp_seal(struct vector *v, struct esp_ops *ops, struct aead *aead)
{
	aead_seal(aead, ops->op, v->n);
	for (uint16_t i = 0; i < v->n; i++) {
		struct packet *p = v->p[i];

		/* RFC 3948 2.1 allows 0 over IPv4; over IPv6 receivers drop it (RFC 8200 8.1). */
		if (likely(p->family == 4) || p->ip[6] != IPPROTO_UDP)
			continue;
		checksum_udp6_write(p->m, p->ip, IPV6_HEADER, p->ip_len - IPV6_HEADER);
	}
}
