/* SPDX-License-Identifier: BSD-3-Clause */
#include "spd/selector.h"

#include <string.h>

#include "packet/bytes.h"
#include "spd/flow_key.h"

struct selector selector_any(uint8_t family)
{
	struct selector s = {.local_port_last = UINT16_MAX, .remote_port_last = UINT16_MAX};

	ip_range_parse("any", family, &s.local_first, &s.local_last);
	ip_range_parse("any", family, &s.remote_first, &s.remote_last);
	return s;
}

bool selector_is_any(const struct selector *s)
{
	struct selector any = selector_any(s->local_first.family);

	return selector_equal(s, &any);
}

bool selector_equal(const struct selector *a, const struct selector *b)
{
	return ip_addr_equal(&a->local_first, &b->local_first) &&
	       ip_addr_equal(&a->local_last, &b->local_last) &&
	       ip_addr_equal(&a->remote_first, &b->remote_first) &&
	       ip_addr_equal(&a->remote_last, &b->remote_last) && a->proto == b->proto &&
	       a->local_port_first == b->local_port_first &&
	       a->local_port_last == b->local_port_last &&
	       a->remote_port_first == b->remote_port_first &&
	       a->remote_port_last == b->remote_port_last;
}

static bool within_v4(const struct ip_addr *first, const struct ip_addr *last, const uint8_t *addr)
{
	uint32_t low = load_be32(first->bytes);

	return load_be32(addr) - low <= load_be32(last->bytes) - low;
}

static unsigned __int128 number(const uint8_t *addr)
{
	return (unsigned __int128)load_be64(addr) << 64 | load_be64(addr + 8);
}

static bool within_v6(const struct ip_addr *first, const struct ip_addr *last, const uint8_t *addr)
{
	unsigned __int128 low = number(first->bytes);

	return number(addr) - low <= number(last->bytes) - low;
}

bool selector_match(const struct selector *s, const struct flow *f)
{
	if (s->local_first.family != f->family || (s->proto != 0 && s->proto != f->proto))
		return false;
	if (f->family == 4) {
		if (!within_v4(&s->local_first, &s->local_last, f->local) ||
		    !within_v4(&s->remote_first, &s->remote_last, f->remote))
			return false;
	} else {
		if (!within_v6(&s->local_first, &s->local_last, f->local) ||
		    !within_v6(&s->remote_first, &s->remote_last, f->remote))
			return false;
	}
	if (selector_any_ports(s))
		return true;
	return f->ports_known && f->local_port >= s->local_port_first &&
	       f->local_port <= s->local_port_last && f->remote_port >= s->remote_port_first &&
	       f->remote_port <= s->remote_port_last;
}

void flow_read(const struct packet *p, uint32_t avail, bool outbound, struct flow *out)
{
	const size_t size = p->family == 4 ? 4 : 16;
	const uint8_t *source = p->ip + (p->family == 4 ? 12 : 8);

	out->family = p->family;
	out->proto = p->proto;
	memcpy(out->local, outbound ? source : source + size, size);
	memcpy(out->remote, outbound ? source + size : source, size);
	out->ports_known = flow_ports_known(p, avail);
	out->local_port = 0;
	out->remote_port = 0;
	if (out->ports_known) {
		out->local_port = load_be16(p->ip + p->l4_off + (outbound ? 0 : 2));
		out->remote_port = load_be16(p->ip + p->l4_off + (outbound ? 2 : 0));
	}
}
