/* SPDX-License-Identifier: BSD-3-Clause */
#include "sa/outer.h"

#include <string.h>
#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_udp.h>

#define TTL_DEFAULT 64
#define ESP_AND_IV 16

static uint16_t sum_words(const uint8_t *at, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i += 2) {
		uint16_t word;
		memcpy(&word, at + i, 2);
		sum += word;
	}
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)(sum + (sum >> 16));
}

void outer_build(const struct sa_spec *spec, uint8_t header[SA_HEADER_MAX], struct sa_outer *outer)
{
	uint8_t *at = header + SA_HEADER_MAX - ESP_AND_IV;
	uint8_t proto = IPPROTO_ESP;
	uint8_t ttl = spec->ttl != 0 ? spec->ttl : TTL_DEFAULT;
	uint32_t spi = rte_cpu_to_be_32(spec->spi);

	memset(header, 0, SA_HEADER_MAX);
	*outer = (struct sa_outer){0};
	memcpy(at, &spi, sizeof(spi));
	if (spec->udp) {
		struct rte_udp_hdr udp = {.src_port = rte_cpu_to_be_16(spec->local_port),
					  .dst_port = rte_cpu_to_be_16(spec->remote_port)};
		at -= sizeof(udp);
		memcpy(at, &udp, sizeof(udp));
		proto = IPPROTO_UDP;
		outer->flags |= SA_OUTER_UDP;
	}
	if (spec->remote.family == 4) {
		struct rte_ipv4_hdr ip = {
		    .version_ihl = RTE_IPV4_VHL_DEF, .time_to_live = ttl, .next_proto_id = proto};
		memcpy(&ip.src_addr, spec->local.bytes, 4);
		memcpy(&ip.dst_addr, spec->remote.bytes, 4);
		at -= sizeof(ip);
		memcpy(at, &ip, sizeof(ip));
		outer->checksum = sum_words(at, sizeof(ip));
	} else {
		struct rte_ipv6_hdr ip = {.vtc_flow = rte_cpu_to_be_32(UINT32_C(6) << 28),
					  .proto = proto,
					  .hop_limits = ttl};
		memcpy(ip.src_addr, spec->local.bytes, 16);
		memcpy(ip.dst_addr, spec->remote.bytes, 16);
		at -= sizeof(ip);
		memcpy(at, &ip, sizeof(ip));
		outer->flags |= SA_OUTER_IPV6;
	}
	outer->len = (uint8_t)(header + SA_HEADER_MAX - at);
}
