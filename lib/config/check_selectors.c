/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/check.h"

static const struct protocol {
	const char *name;
	uint8_t number;
	bool ports;
} protocols[] = {
    {"tcp", IPPROTO_TCP, true},
    {"udp", IPPROTO_UDP, true},
    {"sctp", IPPROTO_SCTP, true},
    {"dccp", IPPROTO_DCCP, true},
    {"udplite", IPPROTO_UDPLITE, true},
    {"icmp", IPPROTO_ICMP, false},
    {"icmpv6", IPPROTO_ICMPV6, false},
    {"gre", IPPROTO_GRE, false},
    {"ospf", 89, false},
};

static bool has_ports(uint8_t number)
{
	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
		if (protocols[i].number == number)
			return protocols[i].ports;
	return false;
}

static bool read_number(const char *text, unsigned long max, unsigned long *out, const char **end)
{
	char *stop;

	if (text[0] < '0' || text[0] > '9')
		return false;
	*out = strtoul(text, &stop, 10);
	*end = stop;
	return *out <= max;
}

static int read_protocol(struct check *c, const char *path, const char *text, uint8_t *out)
{
	unsigned long number;
	const char *end;

	*out = 0;
	if (text == NULL || strcmp(text, "any") == 0)
		return 0;
	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
		if (strcmp(protocols[i].name, text) == 0) {
			*out = protocols[i].number;
			return 0;
		}
	if (!read_number(text, 255, &number, &end) || *end != '\0' || number == 0)
		return check_fault(
		    c, path,
		    "\"%.40s\" is no protocol; any, 1 to 255, tcp, udp, icmp, icmpv6, "
		    "sctp, dccp, udplite, gre or ospf is needed",
		    text);
	*out = (uint8_t)number;
	return 0;
}

static int read_ports(struct check *c, const char *path, const char *text, uint8_t proto,
		      uint16_t *first, uint16_t *last)
{
	unsigned long low = 0, high;
	const char *end;

	*first = 0;
	*last = UINT16_MAX;
	if (text == NULL || strcmp(text, "any") == 0)
		return 0;
	if (!has_ports(proto))
		return check_fault(c, path,
				   "ports need a protocol that has them: tcp, udp, sctp, dccp or "
				   "udplite");
	bool good = read_number(text, UINT16_MAX, &low, &end);
	high = low;
	if (good && *end == '-')
		good = read_number(end + 1, UINT16_MAX, &high, &end);
	if (!good || *end != '\0' || low > high)
		return check_fault(
		    c, path, "\"%.40s\" is no port or range such as 443 or 8000-8099, 0 to 65535",
		    text);
	*first = (uint16_t)low;
	*last = (uint16_t)high;
	return 0;
}

static bool is_any(const char *text)
{
	return text == NULL || strcmp(text, "any") == 0;
}

/* The family an address text is of, told by its punctuation; ip_range_parse() does the rest. */
static uint8_t family_of(const char *text)
{
	return strchr(text, ':') != NULL ? 6 : 4;
}

static int read_range(struct check *c, const char *path, const char *text, uint8_t family,
		      struct ip_addr *first, struct ip_addr *last)
{
	if (is_any(text))
		text = "any";
	if (ip_range_parse(text, family, first, last) != 0)
		return check_fault(c, path,
				   "\"%.80s\" is no prefix such as 192.0.2.0/24 (bits behind the "
				   "prefix length must be 0), address, first-last, or any",
				   text);
	return 0;
}

int check_selector(struct check *c, const char *path, const struct raw_selector *raw,
		   struct selector out[2])
{
	char local[64], remote[64], protocol[64], local_ports[64], remote_ports[64];
	struct selector s = {0};
	uint8_t family = 4;
	int n = 1;

	snprintf(local, sizeof(local), "%s.local", path);
	snprintf(remote, sizeof(remote), "%s.remote", path);
	snprintf(protocol, sizeof(protocol), "%s.protocol", path);
	snprintf(local_ports, sizeof(local_ports), "%s.local_ports", path);
	snprintf(remote_ports, sizeof(remote_ports), "%s.remote_ports", path);

	if (is_any(raw->local) && is_any(raw->remote))
		n = 2;
	else
		family = family_of(is_any(raw->local) ? raw->remote : raw->local);
	if (read_range(c, local, raw->local, family, &s.local_first, &s.local_last) != 0)
		return -EINVAL;
	if (!is_any(raw->remote) && !is_any(raw->local) && family_of(raw->remote) != family)
		return check_fault(c, remote, "%.50s is not of the IP family of local, %.50s",
				   raw->remote, raw->local);
	if (read_range(c, remote, raw->remote, family, &s.remote_first, &s.remote_last) != 0 ||
	    read_protocol(c, protocol, raw->protocol, &s.proto) != 0 ||
	    read_ports(c, local_ports, raw->local_ports, s.proto, &s.local_port_first,
		       &s.local_port_last) != 0 ||
	    read_ports(c, remote_ports, raw->remote_ports, s.proto, &s.remote_port_first,
		       &s.remote_port_last) != 0)
		return -EINVAL;
	out[0] = s;
	if (n == 2) {
		if (s.proto == IPPROTO_ICMP || s.proto == IPPROTO_ICMPV6) {
			/* Each of the two belongs to one family. */
			family = s.proto == IPPROTO_ICMP ? 4 : 6;
			n = 1;
		}
		read_range(c, local, NULL, 6, &s.local_first, &s.local_last);
		read_range(c, remote, NULL, 6, &s.remote_first, &s.remote_last);
		out[family == 6 ? 0 : 1] = s;
	}
	return n;
}
