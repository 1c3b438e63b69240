/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/state.h"
#include "rcu/rcu.h"
#include "report/log.h"

void port_link_changed(struct gateway *g, const struct port *port)
{
	struct provision *p = provision_of(g);
	struct event event = {.kind = EVENT_PORT_LINK, .port = port, .up = atomic_load(&port->up)};

	log_notice("port %s: link %s", port->name, event.up ? "up" : "down");
	if (p != NULL)
		event_raise(p, &event);
}

static void on_link(void *arg, uint16_t port, bool up)
{
	struct gateway *g = arg;

	if (port < g->ports && atomic_exchange(&g->port[port].up, up) != up)
		port_link_changed(g, &g->port[port]);
}

static void on_protected_prefix(void *arg, const struct ip_prefix *prefix, bool present)
{
	struct provision *p = provision_of(arg);

	if (p != NULL)
		prefix_routed(p, prefix, present);
}

static bool is_loopback(const struct ip_addr *a)
{
	static const uint8_t one[16] = {[15] = 1};

	return a->family == 4 ? a->bytes[0] == 127 : memcmp(a->bytes, one, sizeof(one)) == 0;
}

static int remember(struct provision *p, const struct ip_addr *addr, bool present)
{
	for (size_t i = 0; i < p->locals; i++) {
		if (!ip_addr_equal(&p->local[i], addr))
			continue;
		if (!present)
			memmove(&p->local[i], &p->local[i + 1],
				(--p->locals - i) * sizeof(*p->local));
		return 0;
	}
	if (!present || is_loopback(addr))
		return 0;
	struct ip_addr *local = realloc(p->local, (p->locals + 1) * sizeof(*local));
	if (local == NULL)
		return -ENOMEM;
	p->local = local;
	p->local[p->locals++] = *addr;
	return 0;
}

static void on_local_address(void *arg, const struct ip_addr *addr, bool present)
{
	struct gateway *g = arg;
	struct provision *p = provision_of(g);
	char text[IP_TEXT_MAX];

	if (p == NULL)
		return;
	p->locals_changed = true;
	int err = remember(p, addr, present);
	if (err == 0 && g->steer != NULL)
		err = steer_local_set(g->steer, addr, present);
	if (err != 0 && present)
		log_error("ESP to %s will not reach the datapath: %s", ip_addr_text(addr, text),
			  strerror(-err));
}

void gateway_follow(struct gateway *g, struct mirror_events *events)
{
	*events = (struct mirror_events){.arg = g,
					 .link = on_link,
					 .protected_prefix = on_protected_prefix,
					 .local_address = on_local_address};
}

/* ICMP errors go to senders on the protected side, so an address there is best. */
static bool choose_icmp_source(const struct gateway *g, uint8_t family, struct ip_addr *out)
{
	for (int round = 0; round < 2; round++)
		for (uint16_t i = 0; i < g->ports; i++)
			if ((round == 1 || (g->port[i].role & PORT_PROTECTED) != 0) &&
			    mirror_source_address(g->mirror, i, family, out))
				return true;
	return false;
}

static void update_icmp_source(struct gateway *g, int slot, uint8_t family)
{
	const struct ip_addr *before = atomic_load(&g->icmp_source[slot]);
	struct ip_addr chosen, *now = NULL;

	if (choose_icmp_source(g, family, &chosen)) {
		if (before != NULL && ip_addr_equal(before, &chosen))
			return;
		now = malloc(sizeof(*now));
		if (now == NULL)
			return;
		*now = chosen;
	}
	atomic_store(&g->icmp_source[slot], now);
	if (before != NULL)
		rcu_defer(free, (void *)(uintptr_t)before);
}

void gateway_settle(struct gateway *g)
{
	struct provision *p = provision_of(g);

	if (p == NULL)
		return;
	if (p->locals_changed && g->mirror != NULL) {
		p->locals_changed = false;
		prefix_sources_changed(p);
	}
	if (g->mirror != NULL) { /* its ports may have come since, too */
		update_icmp_source(g, 0, 4);
		update_icmp_source(g, 1, 6);
	}
	prefix_settle(p);
}
