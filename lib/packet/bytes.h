/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_PACKET_BYTES_H
#define ESPALIER_PACKET_BYTES_H

#include <stdint.h>
#include <string.h>
#include <rte_byteorder.h>

/* Words of a packet at any alignment; be: network order in memory, host order here. */
static inline uint16_t load_u16(const void *at)
{
	uint16_t v;

	memcpy(&v, at, sizeof(v));
	return v;
}

static inline uint32_t load_u32(const void *at)
{
	uint32_t v;

	memcpy(&v, at, sizeof(v));
	return v;
}

static inline uint64_t load_u64(const void *at)
{
	uint64_t v;

	memcpy(&v, at, sizeof(v));
	return v;
}

static inline void store_u64(void *at, uint64_t v)
{
	memcpy(at, &v, sizeof(v));
}

static inline void store_u16(void *at, uint16_t v)
{
	memcpy(at, &v, sizeof(v));
}

static inline void store_u32(void *at, uint32_t v)
{
	memcpy(at, &v, sizeof(v));
}

static inline uint16_t load_be16(const void *at)
{
	return rte_be_to_cpu_16(load_u16(at));
}

static inline uint32_t load_be32(const void *at)
{
	return rte_be_to_cpu_32(load_u32(at));
}

static inline uint64_t load_be64(const void *at)
{
	return rte_be_to_cpu_64(load_u64(at));
}

static inline void store_be16(void *at, uint16_t v)
{
	store_u16(at, rte_cpu_to_be_16(v));
}

static inline void store_be32(void *at, uint32_t v)
{
	store_u32(at, rte_cpu_to_be_32(v));
}

#endif
