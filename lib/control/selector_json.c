/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/selector_json.h"

static const struct {
	const char *name;
	uint8_t number;
} protocols[] = {
    {"any", 0},   {"icmp", 1},   {"igmp", 2},      {"ipip", 4}, {"tcp", 6},
    {"udp", 17},  {"dccp", 33},  {"ipv6", 41},     {"gre", 47}, {"icmpv6", 58},
    {"ospf", 89}, {"sctp", 132}, {"udplite", 136},
};

#define PROTOCOLS (sizeof(protocols) / sizeof(protocols[0]))

/* A decimal number without sign or spaces, up to `max`; *end is behind it. */
static bool number_at(const char *text, unsigned long max, unsigned long *out, const char **end)
{
	char *stop;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*out = strtoul(text, &stop, 10);
	*end = stop;
	return errno == 0 && *out <= max;
}

int ports_from_json(const json_t *value, uint16_t *first, uint16_t *last)
{
	unsigned long a, b;
	const char *end;

	if (json_is_integer(value)) {
		json_int_t n = json_integer_value(value);
		if (n < 0 || n > UINT16_MAX)
			return -EINVAL;
		*first = *last = (uint16_t)n;
		return 0;
	}
	const char *text = json_string_value(value);
	if (text == NULL)
		return -EINVAL;
	if (strcmp(text, "any") == 0) {
		*first = 0;
		*last = UINT16_MAX;
		return 0;
	}
	if (!number_at(text, UINT16_MAX, &a, &end))
		return -EINVAL;
	b = a;
	if (*end == '-' && !number_at(end + 1, UINT16_MAX, &b, &end))
		return -EINVAL;
	if (*end != '\0' || a > b)
		return -EINVAL;
	*first = (uint16_t)a;
	*last = (uint16_t)b;
	return 0;
}

int protocol_from_json(const json_t *value, uint8_t *proto)
{
	unsigned long n;
	const char *end;

	if (json_is_integer(value)) {
		if (json_integer_value(value) < 1 || json_integer_value(value) > UINT8_MAX)
			return -EINVAL;
		*proto = (uint8_t)json_integer_value(value);
		return 0;
	}
	const char *text = json_string_value(value);
	if (text == NULL)
		return -EINVAL;
	for (size_t i = 0; i < PROTOCOLS; i++) {
		if (strcmp(protocols[i].name, text) == 0) {
			*proto = protocols[i].number;
			return 0;
		}
	}
	if (!number_at(text, UINT8_MAX, &n, &end) || *end != '\0' || n == 0)
		return -EINVAL;
	*proto = (uint8_t)n;
	return 0;
}

static const char *range_of(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	return value != NULL ? json_string_value(value) : "any";
}

static void ports_of(const json_t *object, const char *name, uint16_t *first, uint16_t *last)
{
	*first = 0;
	*last = UINT16_MAX;
	const json_t *value = json_object_get(object, name);
	if (value != NULL)
		ports_from_json(value, first, last);
}

/* The family that is given, or that one of the sides has; 0 where none tells. */
static uint8_t family_of(const json_t *object, const char *local, const char *remote)
{
	const char *family = json_string_value(json_object_get(object, "family"));
	struct ip_addr first, last;

	if (family != NULL)
		return strcmp(family, "ipv6") == 0 ? 6 : 4;
	if (ip_range_parse(local, 0, &first, &last) == 0 ||
	    ip_range_parse(remote, 0, &first, &last) == 0)
		return first.family;
	return 0;
}

int selector_from_json(const json_t *object, struct selector *out, struct fault *fault)
{
	const char *local = range_of(object, "local"), *remote = range_of(object, "remote");
	uint8_t family = family_of(object, local, remote);

	if (family == 0)
		return fault_set(fault, EINVAL, "family",
				 "both sides are \"any\": say \"ipv4\" or \"ipv6\"");
	*out = selector_any(family);
	if (ip_range_parse(local, family, &out->local_first, &out->local_last) != 0 ||
	    out->local_first.family != family)
		return fault_set(fault, EINVAL, "local", "%s is not IPv%u, as the rest is", local,
				 family);
	if (ip_range_parse(remote, family, &out->remote_first, &out->remote_last) != 0 ||
	    out->remote_first.family != family)
		return fault_set(fault, EINVAL, "remote", "%s is not IPv%u, as the rest is", remote,
				 family);
	const json_t *proto = json_object_get(object, "protocol");
	if (proto != NULL)
		protocol_from_json(proto, &out->proto);
	ports_of(object, "local_ports", &out->local_port_first, &out->local_port_last);
	ports_of(object, "remote_ports", &out->remote_port_first, &out->remote_port_last);
	return 0;
}

static json_t *range_to_json(const struct ip_addr *first, const struct ip_addr *last)
{
	char text[2 * IP_TEXT_MAX];

	ip_range_text(first, last, text);
	/* The whole family. */
	if (strcmp(text, "0.0.0.0/0") == 0 || strcmp(text, "::/0") == 0)
		return json_string("any");
	return json_string(text);
}

static json_t *ports_to_json(uint16_t first, uint16_t last)
{
	if (first == 0 && last == UINT16_MAX)
		return json_string("any");
	if (first == last)
		return json_integer(first);
	return json_sprintf("%u-%u", first, last);
}

static json_t *protocol_to_json(uint8_t proto)
{
	for (size_t i = 0; i < PROTOCOLS; i++)
		if (protocols[i].number == proto)
			return json_string(protocols[i].name);
	return json_integer(proto);
}

json_t *selector_to_json(const struct selector *s)
{
	return json_pack("{s:o, s:o, s:s, s:o, s:o, s:o}", "local",
			 range_to_json(&s->local_first, &s->local_last), "remote",
			 range_to_json(&s->remote_first, &s->remote_last), "family",
			 s->local_first.family == 6 ? "ipv6" : "ipv4", "protocol",
			 protocol_to_json(s->proto), "local_ports",
			 ports_to_json(s->local_port_first, s->local_port_last), "remote_ports",
			 ports_to_json(s->remote_port_first, s->remote_port_last));
}
