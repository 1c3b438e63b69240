/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "packet/packet.h"

struct bytes {
	uint8_t at[512];
	size_t len;
};

/* Parse a heap copy of exactly `avail` bytes, so that a sanitiser sees any read beyond. */
static int parse_copy(const uint8_t *bytes, size_t avail, size_t total, struct packet *p)
{
	uint8_t *copy = malloc(avail > 0 ? avail : 1);

	memcpy(copy, bytes, avail);
	p->ip = copy;
	int result = packet_parse_ip(p, (uint32_t)avail, (uint32_t)total);
	p->ip = NULL;
	free(copy);
	return result;
}

static int parse(const struct bytes *b, struct packet *p)
{
	return parse_copy(b->at, b->len, b->len, p);
}

static void set16(uint8_t *at, unsigned int value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* RFC 1071, word by word. */
static void ipv4_checksum(struct bytes *b)
{
	unsigned int header = (b->at[0] & 0xfu) * 4, sum = 0;

	set16(b->at + 10, 0);
	for (unsigned int i = 0; i < header; i += 2)
		sum += b->at[i] * 256u + b->at[i + 1];
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	set16(b->at + 10, ~sum & 0xffff);
}

static struct bytes ipv4(unsigned int words, uint8_t proto, size_t payload)
{
	struct bytes b = {.at = {0}};

	b.len = words * 4 + payload;
	b.at[0] = (uint8_t)(0x40 | words);
	b.at[1] = 0xb9;
	set16(b.at + 2, (unsigned int)b.len);
	b.at[8] = 64;
	b.at[9] = proto;
	memset(b.at + 12, 10, 8);
	memset(b.at + 20, 1, words * 4 - 20); /* NOP options */
	ipv4_checksum(&b);
	return b;
}

static struct bytes ipv6(uint8_t next)
{
	struct bytes b = {.at = {0x6b, 0x90}, .len = 40};

	b.at[6] = next;
	b.at[7] = 64;
	memset(b.at + 8, 0x20, 32);
	return b;
}

/* Append an extension header of `units` * 8 bytes and correct the payload length. */
static void extend(struct bytes *b, uint8_t next, unsigned int units)
{
	b->at[b->len] = next;
	b->at[b->len + 1] = (uint8_t)(units - 1);
	b->len += units * 8;
	set16(b->at + 4, (unsigned int)b->len - 40);
}

static void fragment_header(struct bytes *b, uint8_t next, unsigned int offset, bool more)
{
	b->at[b->len] = next;
	b->at[b->len + 1] = 0xff; /* reserved: ignored */
	set16(b->at + b->len + 2, offset << 3 | 6 | more);
	b->len += 8;
	set16(b->at + 4, (unsigned int)b->len - 40);
}

static void payload(struct bytes *b, size_t n)
{
	b->len += n;
	set16(b->at + 4, (unsigned int)b->len - 40);
}

static void ipv4_fields(void **state)
{
	struct packet p = {.flags = PACKET_LOCAL | PACKET_FRAGMENT};
	struct bytes b = ipv4(5, 17, 30);

	(void)state;
	assert_int_equal(parse(&b, &p), 0);
	assert_int_equal(p.family, 4);
	assert_int_equal(p.proto, 17);
	assert_int_equal(p.tos, 0xb9);
	assert_int_equal(p.ip_len, 50);
	assert_int_equal(p.l4_off, 20);
	assert_int_equal(p.flags, PACKET_LOCAL);

	b = ipv4(15, 6, 10);
	assert_int_equal(parse(&b, &p), 0);
	assert_int_equal(p.l4_off, 60);
	assert_int_equal(p.ip_len, 70);

	/* Nothing but a header is a datagram too. */
	b = ipv4(5, 6, 0);
	assert_int_equal(parse(&b, &p), 0);
}

static void ethernet_padding_is_not_counted(void **state)
{
	struct packet p = {0};
	struct bytes b = ipv4(5, 17, 8);

	(void)state;
	b.len = 46;
	assert_int_equal(parse(&b, &p), 0);
	assert_int_equal(p.ip_len, 28);

	b = ipv6(17);
	payload(&b, 3);
	b.len = 46;
	assert_int_equal(parse(&b, &p), 0);
	assert_int_equal(p.ip_len, 43);
}

static void truncation_is_found_at_every_byte(void **state)
{
	struct bytes all[4] = {ipv4(5, 17, 8), ipv4(7, 17, 8), ipv6(17), ipv6(0)};
	struct packet p = {0};

	(void)state;
	payload(&all[2], 8);
	extend(&all[3], 60, 2);
	extend(&all[3], 17, 1);
	payload(&all[3], 8);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(parse(&all[i], &p), 0);
		for (size_t len = 0; len < all[i].len; len++)
			assert_int_equal(parse_copy(all[i].at, len, len, &p), -EBADMSG);
	}
}

/* The first segment may end anywhere behind the headers. */
static void headers_must_be_contiguous(void **state)
{
	struct bytes four = ipv4(7, 17, 100), six = ipv6(60);
	struct packet p = {0};

	(void)state;
	extend(&six, 17, 1);
	payload(&six, 100);
	for (size_t len = 0; len <= 60; len++) {
		assert_int_equal(parse_copy(four.at, len, four.len, &p), len < 28 ? -EBADMSG : 0);
		assert_int_equal(parse_copy(six.at, len, six.len, &p), len < 48 ? -EBADMSG : 0);
	}
}

static void ipv4_lengths_must_agree(void **state)
{
	struct packet p = {0};

	(void)state;
	for (unsigned int words = 0; words < 5; words++) {
		struct bytes b = ipv4(5, 17, 30);
		b.at[0] = (uint8_t)(0x40 | words);
		ipv4_checksum(&b);
		assert_int_equal(parse(&b, &p), -EBADMSG);
	}
	for (unsigned int words = 5; words < 16; words++) {
		for (unsigned int total = 0; total < 70; total++) {
			struct bytes b = ipv4(words, 17, 0);
			set16(b.at + 2, total);
			ipv4_checksum(&b);
			b.len = 64;
			bool good = total >= words * 4 && total <= 64;
			assert_int_equal(parse(&b, &p), good ? 0 : -EBADMSG);
		}
	}
}

static void ipv4_checksum_must_be_right(void **state)
{
	struct packet p = {0};

	(void)state;
	srand(1);
	for (int i = 0; i < 20000; i++) {
		struct bytes b = ipv4(i % 2 ? 5 : 9, 6, 20);
		for (unsigned int at = 12; at < (b.at[0] & 0xfu) * 4; at++)
			b.at[at] = (uint8_t)(i % 3 ? rand() : -(rand() % 2));
		b.at[8] = (uint8_t)rand();
		set16(b.at + 4, (unsigned int)rand());
		ipv4_checksum(&b);
		assert_int_equal(parse(&b, &p), 0);
		/* Any single flipped bit is found. */
		b.at[8 + rand() % 12] ^= (uint8_t)(1 << rand() % 8);
		assert_int_equal(parse(&b, &p), -EBADMSG);
	}
}

static void other_versions_are_refused(void **state)
{
	struct packet p = {0};

	(void)state;
	for (unsigned int version = 0; version < 16; version++) {
		struct bytes b = ipv4(5, 17, 40);
		b.at[0] = (uint8_t)(version << 4 | 5);
		ipv4_checksum(&b);
		if (version != 4)
			assert_int_equal(parse_copy(b.at, 30, 30, &p), -EBADMSG);
	}
}

static void ipv4_fragments(void **state)
{
	static const struct {
		unsigned int field;
		uint8_t flags;
	} facts[] = {
	    {0x0000, 0},
	    {0x4000, 0}, /* DF */
	    {0x8000, 0}, /* reserved */
	    {0x2000, PACKET_FRAGMENT},
	    {0x0001, PACKET_FRAGMENT | PACKET_NOT_FIRST},
	    {0x1fff, PACKET_FRAGMENT | PACKET_NOT_FIRST},
	    {0x3000, PACKET_FRAGMENT | PACKET_NOT_FIRST},
	};

	(void)state;
	for (size_t i = 0; i < RTE_DIM(facts); i++) {
		struct packet p = {.flags = PACKET_NOT_FIRST};
		struct bytes b = ipv4(5 + i % 2, 50, 40);
		set16(b.at + 6, facts[i].field);
		ipv4_checksum(&b);
		assert_int_equal(parse(&b, &p), 0);
		assert_int_equal(p.flags, facts[i].flags);
		assert_int_equal(p.proto, 50);
	}
}

static void ipv6_upper_layers_end_the_walk(void **state)
{
	(void)state;
	for (unsigned int proto = 0; proto < 256; proto++) {
		struct packet p = {.flags = PACKET_FRAGMENT};
		struct bytes b = ipv6((uint8_t)proto);

		if (proto == 0 || proto == 43 || proto == 44 || proto == 60)
			continue;
		payload(&b, 1);
		assert_int_equal(parse(&b, &p), 0);
		assert_int_equal(p.family, 6);
		assert_int_equal(p.proto, proto);
		assert_int_equal(p.tos, 0xb9);
		assert_int_equal(p.l4_off, 40);
		assert_int_equal(p.ip_len, 41);
		assert_int_equal(p.flags, 0);
	}
}

static void ipv6_extension_chains(void **state)
{
	struct packet p = {0};
	struct bytes b = ipv6(0);

	(void)state;
	extend(&b, 60, 1);
	extend(&b, 43, 3);
	extend(&b, 50, 2);
	payload(&b, 24);
	assert_int_equal(parse(&b, &p), 0);
	assert_int_equal(p.proto, 50);
	assert_int_equal(p.l4_off, 40 + 48);
	assert_int_equal(p.ip_len, b.len);

	/* Eight extension headers are followed, nine are not. */
	for (unsigned int n = 1; n <= 12; n++) {
		b = ipv6(60);
		for (unsigned int i = 1; i <= n; i++)
			extend(&b, i < n ? 60 : 6, 1);
		assert_int_equal(parse(&b, &p), n <= 8 ? 0 : -EBADMSG);
	}
	/* Hop-by-hop options behind another header (RFC 8200 4.1). */
	b = ipv6(60);
	extend(&b, 0, 1);
	extend(&b, 6, 1);
	assert_int_equal(parse(&b, &p), -EBADMSG);
	b = ipv6(0);
	extend(&b, 0, 1);
	extend(&b, 6, 1);
	assert_int_equal(parse(&b, &p), -EBADMSG);
	/* A header longer than the datagram. */
	b = ipv6(60);
	extend(&b, 6, 2);
	b.at[41] = 2;
	assert_int_equal(parse(&b, &p), -EBADMSG);
	/* Payload length 0 with hop-by-hop options: a jumbogram, which we refuse. */
	b = ipv6(0);
	extend(&b, 6, 1);
	set16(b.at + 4, 0);
	assert_int_equal(parse(&b, &p), -EBADMSG);
}

static void ipv6_fragments(void **state)
{
	struct packet p = {0};
	struct bytes b = ipv6(44);

	(void)state;
	fragment_header(&b, 17, 0, true);
	payload(&b, 8);
	assert_int_equal(parse(&b, &p), 0);
	assert_int_equal(p.flags, PACKET_FRAGMENT);
	assert_int_equal(p.proto, 17);
	assert_int_equal(p.l4_off, 48);

	/* A later fragment: what follows is payload, whatever the next header says. */
	for (unsigned int more = 0; more < 2; more++) {
		b = ipv6(60);
		extend(&b, 44, 1);
		fragment_header(&b, 60, 1, more != 0);
		payload(&b, 1);
		assert_int_equal(parse(&b, &p), 0);
		assert_int_equal(p.flags, PACKET_FRAGMENT | PACKET_NOT_FIRST);
		assert_int_equal(p.proto, 60);
		assert_int_equal(p.l4_off, 56);
	}

	/* RFC 6946: an atomic fragment is a whole datagram. */
	b = ipv6(44);
	fragment_header(&b, 60, 0, false);
	extend(&b, 50, 1);
	payload(&b, 8);
	assert_int_equal(parse(&b, &p), 0);
	assert_int_equal(p.flags, 0);
	assert_int_equal(p.proto, 50);
	assert_int_equal(p.l4_off, 56);

	/* RFC 7112: the chain ends within the first fragment. */
	b = ipv6(44);
	fragment_header(&b, 60, 0, true);
	assert_int_equal(parse(&b, &p), -EBADMSG);

	b = ipv6(44);
	fragment_header(&b, 44, 0, true);
	fragment_header(&b, 17, 0, true);
	payload(&b, 8);
	assert_int_equal(parse(&b, &p), -EBADMSG);
}

/* What parses lies within the datagram, and the datagram within the packet. */
static void random_bytes_stay_in_bounds(void **state)
{
	(void)state;
	srand(2);
	for (int i = 0; i < 300000; i++) {
		static const uint8_t next[] = {0, 6, 17, 43, 44, 50, 51, 58, 59, 60, 135};
		struct packet p = {0};
		uint8_t bytes[128];
		size_t len = (size_t)rand() % sizeof(bytes);
		size_t total = len + (size_t)(rand() % 3 ? 0 : rand() % 2000);

		for (size_t at = 0; at < sizeof(bytes); at++)
			bytes[at] =
			    (uint8_t)(rand() % 2 ? next[rand() % sizeof(next)] : rand() % 4);
		bytes[0] = i % 2 ? 0x60 : (uint8_t)(0x45 + rand() % 3);
		if (i % 2) {
			bytes[6] = next[rand() % sizeof(next)];
			set16(bytes + 4, (unsigned int)rand() % 96);
		} else {
			struct bytes b = {.len = 60};
			set16(bytes + 2, (unsigned int)rand() % 128);
			memcpy(b.at, bytes, 60);
			ipv4_checksum(&b);
			memcpy(bytes, b.at, 60);
		}
		if (parse_copy(bytes, len, total, &p) == 0) {
			assert_true(p.l4_off <= p.ip_len);
			assert_true(p.l4_off <= len);
			assert_true(p.ip_len <= total);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ipv4_fields),
	    cmocka_unit_test(ethernet_padding_is_not_counted),
	    cmocka_unit_test(truncation_is_found_at_every_byte),
	    cmocka_unit_test(headers_must_be_contiguous),
	    cmocka_unit_test(ipv4_lengths_must_agree),
	    cmocka_unit_test(ipv4_checksum_must_be_right),
	    cmocka_unit_test(other_versions_are_refused),
	    cmocka_unit_test(ipv4_fragments),
	    cmocka_unit_test(ipv6_upper_layers_end_the_walk),
	    cmocka_unit_test(ipv6_extension_chains),
	    cmocka_unit_test(ipv6_fragments),
	    cmocka_unit_test(random_bytes_stay_in_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
