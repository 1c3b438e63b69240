/* SPDX-License-Identifier: BSD-3-Clause */
#include "packet/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

bool ip_addr_equal(const struct ip_addr *a, const struct ip_addr *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, ip_size(a->family)) == 0;
}

int ip_addr_compare(const struct ip_addr *a, const struct ip_addr *b)
{
	return memcmp(a->bytes, b->bytes, ip_size(a->family));
}

bool ip_prefix_equal(const struct ip_prefix *a, const struct ip_prefix *b)
{
	return a->len == b->len && ip_addr_equal(&a->addr, &b->addr);
}

bool ip_prefix_contains(const struct ip_prefix *p, const struct ip_addr *a)
{
	if (p->addr.family != a->family)
		return false;
	unsigned int whole = p->len / 8;
	unsigned int rest = p->len % 8;
	if (memcmp(p->addr.bytes, a->bytes, whole) != 0)
		return false;
	return rest == 0 || ((p->addr.bytes[whole] ^ a->bytes[whole]) >> (8 - rest)) == 0;
}

bool ip_addr_is_unicast(const struct ip_addr *a)
{
	static const uint8_t zero[15];

	if (a->family == 4)
		return a->bytes[0] != 0 && a->bytes[0] != 127 && a->bytes[0] < 224;
	if (a->family == 6) {
		bool low = memcmp(a->bytes, zero, 15) == 0 && a->bytes[15] <= 1; /* :: and ::1 */
		return !low && a->bytes[0] != 0xff;
	}
	return false;
}

struct ip_addr ip_addr_from(uint8_t family, const void *bytes)
{
	struct ip_addr a = {.family = family};

	memcpy(a.bytes, bytes, ip_size(family));
	return a;
}

uint32_t ip_addr_v4(const struct ip_addr *a)
{
	return (uint32_t)a->bytes[0] << 24 | (uint32_t)a->bytes[1] << 16 |
	       (uint32_t)a->bytes[2] << 8 | a->bytes[3];
}

int ip_addr_parse(const char *text, struct ip_addr *out)
{
	struct ip_addr a = {.family = strchr(text, ':') != NULL ? 6 : 4};

	if (inet_pton(a.family == 4 ? AF_INET : AF_INET6, text, a.bytes) != 1)
		return -EINVAL;
	*out = a;
	return 0;
}

/* The part of `text` before `end` as an address. */
static int parse_part(const char *text, const char *end, struct ip_addr *out)
{
	char part[INET6_ADDRSTRLEN];
	size_t len = (size_t)(end - text);

	if (len >= sizeof(part))
		return -EINVAL;
	memcpy(part, text, len);
	part[len] = '\0';
	return ip_addr_parse(part, out);
}

static int parse_length(const char *text, unsigned int max, uint8_t *out)
{
	unsigned int len = 0;
	const char *c = text;

	for (; *c >= '0' && *c <= '9' && c < text + 3; c++)
		len = len * 10 + (unsigned int)(*c - '0');
	if (c == text || *c != '\0' || len > max || (text[0] == '0' && text[1] != '\0'))
		return -EINVAL;
	*out = (uint8_t)len;
	return 0;
}

/* Clear (or set) the bits behind the first `len`. */
static void fill_host_bits(struct ip_addr *a, unsigned int len, bool ones)
{
	for (unsigned int i = 0; i < ip_size(a->family); i++) {
		unsigned int kept = len > i * 8 ? len - i * 8 : 0;
		uint8_t host = kept >= 8 ? 0 : (uint8_t)(0xff >> kept);
		a->bytes[i] = ones ? a->bytes[i] | host : a->bytes[i] & (uint8_t)~host;
	}
}

int ip_prefix_parse(const char *text, struct ip_prefix *out)
{
	struct ip_prefix p;
	const char *slash = strchr(text, '/');

	if (parse_part(text, slash != NULL ? slash : text + strlen(text), &p.addr) < 0)
		return -EINVAL;
	p.len = ip_bits(p.addr.family);
	if (slash != NULL && parse_length(slash + 1, p.len, &p.len) < 0)
		return -EINVAL;
	struct ip_addr first = p.addr;
	fill_host_bits(&first, p.len, false);
	if (!ip_addr_equal(&first, &p.addr))
		return -EINVAL;
	*out = p;
	return 0;
}

int ip_range_parse(const char *text, uint8_t family, struct ip_addr *first, struct ip_addr *last)
{
	struct ip_prefix p = {.addr = {.family = family}, .len = 0};
	const char *dash = strchr(text, '-');

	if (dash != NULL) {
		struct ip_addr a, b;

		if (parse_part(text, dash, &a) < 0 || ip_addr_parse(dash + 1, &b) < 0 ||
		    a.family != b.family || ip_addr_compare(&a, &b) > 0)
			return -EINVAL;
		*first = a;
		*last = b;
		return 0;
	}
	if (strcmp(text, "any") == 0) {
		if (family != 4 && family != 6)
			return -EINVAL;
	} else if (ip_prefix_parse(text, &p) < 0) {
		return -EINVAL;
	}
	*first = p.addr;
	*last = p.addr;
	fill_host_bits(last, p.len, true);
	return 0;
}

char *ip_addr_text(const struct ip_addr *a, char *buf)
{
	if (a->family != 4 && a->family != 6)
		snprintf(buf, IP_TEXT_MAX, "none");
	else
		inet_ntop(a->family == 4 ? AF_INET : AF_INET6, a->bytes, buf, IP_TEXT_MAX);
	return buf;
}

char *ip_prefix_text(const struct ip_prefix *p, char *buf)
{
	ip_addr_text(&p->addr, buf);
	size_t at = strlen(buf);
	snprintf(buf + at, IP_TEXT_MAX - at, "/%u", p->len);
	return buf;
}

char *ip_range_text(const struct ip_addr *first, const struct ip_addr *last, char *buf)
{
	struct ip_prefix p;

	if (ip_addr_equal(first, last))
		return ip_addr_text(first, buf);
	if (ip_range_prefixes(first, last, &p, 1) == 1)
		return ip_prefix_text(&p, buf);
	ip_addr_text(first, buf);
	size_t at = strlen(buf);
	buf[at] = '-';
	ip_addr_text(last, buf + at + 1);
	return buf;
}
