/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>
#include <rte_ether.h>

#include "aead/aead.h"
#include "gateway_in_memory.h"
#include "packet/checksum.h"

/*
 * What arrives on the unprotected side. Input: up to 8 packets, each
 *
 *   kind    1 byte: KIND_* bits, SA in the low two
 *   number  1 byte: with KIND_SEALED, the sequence number relative to the newest
 *   part    1 byte: bytes a segment, 0 for one segment
 *   length  2 bytes, then as many bytes
 *
 * The bytes are a whole frame (KIND_FRAME), an IP packet, or with KIND_SEALED the
 * plaintext (inner packet, padding, trailer) of a packet that authenticates, so
 * that what stands behind the ICV is reached.
 */
enum {
	KIND_SA = 3,
	KIND_UDP = 4,
	KIND_OUTER6 = 8,
	KIND_SEALED = 16,
	KIND_FRAME = 32,
	KIND_HOLD = 64, /* runs in one vector with the next */
};
#define PACKETS_MAX 8
#define BYTES_MAX 3000

static struct inprocess *gateway;
static struct aead *aead;
static struct tunnel *tunnel;
static struct selector selectors[2];

/* SPI 0x1000 + i; each differs in what the code branches on. */
static const struct shape {
	enum aead_algorithm algorithm;
	bool esn;
	uint32_t window;
	uint8_t selectors;
} shapes[4] = {
    {AEAD_AES_256_GCM_16, true, 64, 0},
    {AEAD_AES_256_GCM_16, false, 0, 1},
    {AEAD_AES_128_GCM_16, true, 0, 2},
    {AEAD_AES_128_GCM_16, false, 1024, 0},
};
static struct aead_key keys[4];
static uint8_t key_bytes[4][AEAD_KEY_MAX];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	gateway = fuzz_gateway();
	aead = aead_create();
	must(aead != NULL);
	tunnel = inprocess_tunnel(gateway, "peer");
	for (unsigned int i = 0; i < 4; i++) {
		memset(key_bytes[i], 0x11 * (int)(i + 1), sizeof(key_bytes[i]));
		aead_expand(aead, shapes[i].algorithm, key_bytes[i], &keys[i]);
	}
	selectors[0] = selector_any(4);
	ip_range_parse("10.0.0.0/9", 4, &selectors[0].local_first, &selectors[0].local_last);
	selectors[0].remote_port_first = 80;
	selectors[1] = selector_any(6);
	return 0;
}

static void add_sas(struct sa *sa[4])
{
	for (unsigned int i = 0; i < 4; i++) {
		struct sa_spec spec = {.direction = SA_INBOUND,
				       .spi = 0x1000 + i,
				       .tunnel = tunnel->index,
				       .algorithm = shapes[i].algorithm,
				       .esn = shapes[i].esn,
				       .local = inprocess_outer(0, 4),
				       .remote = inprocess_outer(1, 4),
				       .replay_window = shapes[i].window,
				       .selectors = shapes[i].selectors,
				       .selector = selectors};
		struct fault fault = {0};

		memcpy(spec.key, key_bytes[i], sizeof(spec.key));
		must(sa_add(gateway->g.sadb, &spec, &sa[i], &fault) == 0);
	}
}

/* An outer header of the peer's; returns its length. `len` is what follows. */
static size_t outer_header(uint8_t *at, unsigned int kind, size_t len)
{
	bool six = (kind & KIND_OUTER6) != 0, udp = (kind & KIND_UDP) != 0;
	struct ip_addr from = inprocess_outer(1, six ? 6 : 4), to = inprocess_outer(0, six ? 6 : 4);
	size_t header = six ? 40 : 20;
	uint8_t proto = udp ? IPPROTO_UDP : IPPROTO_ESP;

	memset(at, 0, header + 8);
	if (udp) {
		store_be16(at + header, 4500);
		store_be16(at + header + 2, 4500);
		store_be16(at + header + 4, (uint16_t)(8 + len));
		len += 8;
	}
	if (six) {
		at[0] = 0x60;
		store_be16(at + 4, (uint16_t)len);
		at[6] = proto;
		memcpy(at + 8, from.bytes, 16);
		memcpy(at + 24, to.bytes, 16);
	} else {
		at[0] = 0x45;
		at[1] = kind & KIND_SA; /* ECN, so that RFC 6040 has something to combine */
		store_be16(at + 2, (uint16_t)(header + len));
		at[8] = 64;
		at[9] = proto;
		memcpy(at + 12, from.bytes, 4);
		memcpy(at + 16, to.bytes, 4);
		checksum_ipv4_write(at, 20);
	}
	return header + (udp ? 8 : 0);
}

/* Write a packet that authenticates; returns its length. */
static size_t seal(uint8_t *at, unsigned int kind, uint64_t seq, const uint8_t *text, size_t len)
{
	const unsigned int i = kind & KIND_SA;
	struct aead_op op = {.len = (uint32_t)len,
			     .algorithm = (uint8_t)shapes[i].algorithm,
			     .aad_len = shapes[i].esn ? 12 : 8,
			     .key = &keys[i]};
	uint8_t *esp = at + outer_header(at, kind, 16 + len + AEAD_ICV_SIZE);
	const size_t key_size = aead_key_size(shapes[i].algorithm) - AEAD_SALT_SIZE;

	store_be32(esp, 0x1000 + i);
	store_be32(esp + 4, (uint32_t)seq);
	store_be32(esp + 8, (uint32_t)(seq >> 32));
	store_be32(esp + 12, (uint32_t)seq);
	memcpy(esp + 16, text, len);
	memcpy(op.nonce, key_bytes[i] + key_size, AEAD_SALT_SIZE);
	memcpy(op.nonce + AEAD_SALT_SIZE, esp + 8, AEAD_IV_SIZE);
	store_be32(op.aad, 0x1000 + i);
	if (shapes[i].esn)
		store_be32(op.aad + 4, (uint32_t)(seq >> 32));
	store_be32(op.aad + op.aad_len - 4, (uint32_t)seq);
	op.text = esp + 16;
	op.icv = esp + 16 + len;
	aead_seal(aead, &op, 1);
	return (size_t)(esp - at) + 16 + len + AEAD_ICV_SIZE;
}

/* Write the frame that the input describes; returns its length. */
static size_t make_frame(uint8_t *frame, uint64_t newest[4], const uint8_t *head,
			 const uint8_t *bytes, size_t len)
{
	unsigned int kind = head[0], i = kind & KIND_SA;
	uint8_t *ip = frame + RTE_ETHER_HDR_LEN;

	memcpy(frame, inprocess_mac(INPROCESS_WAN), 6);
	memcpy(frame + 6, inprocess_mac(INPROCESS_WAN), 6);
	if ((kind & KIND_SEALED) != 0) {
		uint64_t seq = newest[i] + (uint64_t)(int64_t)(int8_t)head[1];
		if (seq == 0 || seq > 1u << 30)
			seq = 1;
		newest[i] = seq > newest[i] ? seq : newest[i];
		len = seal(ip, kind, seq, bytes, len);
	} else if ((kind & KIND_FRAME) != 0) {
		memcpy(frame, bytes, len);
		return len;
	} else {
		memcpy(ip, bytes, len);
	}
	store_be16(frame + 12,
		   len > 0 && ip[0] >> 4 == 6 ? RTE_ETHER_TYPE_IPV6 : RTE_ETHER_TYPE_IPV4);
	return RTE_ETHER_HDR_LEN + len;
}

/* Only what came through an SA may leave on the protected side. */
static unsigned int delivered;

static void count_delivered(uint16_t port, const struct rte_mbuf *m)
{
	(void)m;
	delivered += port == INPROCESS_LAN;
}

/* RFC 4303 3.4.3: what does not authenticate moves nothing and passes nothing. */
static void run_vector(struct sa *sa[4], struct rte_mbuf **m, uint16_t n, unsigned int sealed)
{
	struct sa_counters before[4], after;

	for (unsigned int i = 0; i < 4; i++)
		sa_counters(sa[i], &before[i]);
	delivered = 0;
	inprocess_run(gateway, 0, INPROCESS_WAN, m, n);
	fuzz_settle(gateway, count_delivered);
	must(delivered <= sealed);
	for (unsigned int i = 0; i < 4 && sealed == 0; i++) {
		sa_counters(sa[i], &after);
		must(after.packets == before[i].packets && after.bytes == before[i].bytes &&
		     after.seq == before[i].seq && after.last_used_tsc == before[i].last_used_tsc);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t frame[BYTES_MAX + 200];
	struct rte_mbuf *vector[PACKETS_MAX];
	uint64_t newest[4] = {0};
	unsigned int sealed = 0;
	struct sa *sa[4];
	uint16_t held = 0;
	size_t at = 0;

	add_sas(sa);
	for (unsigned int n = 0; n < PACKETS_MAX && size - at >= 5; n++) {
		const uint8_t *head = data + at;
		size_t len = load_be16(head + 3) % BYTES_MAX;

		at += 5;
		const uint8_t *bytes = fuzz_take(data, size, &at, &len);
		len = make_frame(frame, newest, head, bytes, len);
		vector[held] = fuzz_mbuf(frame, len, head[2]);
		fuzz_poison(vector[held++]);
		sealed += (head[0] & KIND_SEALED) != 0;
		if ((head[0] & KIND_HOLD) == 0 || n == PACKETS_MAX - 1 || size - at < 5) {
			run_vector(sa, vector, held, sealed);
			held = 0;
			sealed = 0;
		}
	}
	for (unsigned int i = 0; i < 4; i++)
		sa_delete(gateway->g.sadb, sa[i]);
	return 0;
}
