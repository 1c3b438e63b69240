/* SPDX-License-Identifier: BSD-3-Clause */
#include "mtu/payload.h"

#include "gateway/state.h"

#define ETHERNET_MTU 1500
#define INNER_MTU_MIN 576

uint16_t outer_mtu(const struct gateway *g)
{
	uint16_t least = UINT16_MAX;

	for (uint16_t i = 0; i < g->ports; i++)
		if ((g->port[i].role & PORT_UNPROTECTED) != 0 && g->port[i].mtu < least)
			least = g->port[i].mtu;
	return least == UINT16_MAX ? ETHERNET_MTU : least;
}

uint16_t cautious_mtu(const struct gateway *g)
{
	uint16_t mtu = mtu_payload(outer_mtu(g), 6, true);

	return mtu < INNER_MTU_MIN ? INNER_MTU_MIN : mtu;
}

void tunnel_device_mtu(struct provision *p, struct tunnel *t)
{
	struct tunnel_care *care = provision_care(p, t->index);
	uint16_t mtu = t->spec.mtu;

	if (t->device == HOST_NONE || care == NULL)
		return;
	if (mtu == 0)
		mtu = tunnel_mtu(t, outer_mtu(p->g));
	if (mtu == 0)
		mtu = cautious_mtu(p->g);
	if (mtu < INNER_MTU_MIN)
		mtu = INNER_MTU_MIN;
	if (mtu != care->device_mtu && host_device_mtu(p->g->host, t->device, mtu) == 0)
		care->device_mtu = mtu;
}

static bool follow(void *arg, struct tunnel *t)
{
	tunnel_device_mtu(arg, t);
	return true;
}

void gateway_ports_changed(struct gateway *g)
{
	struct provision *p = provision_of(g);

	if (p == NULL)
		return;
	p->locals_changed = true; /* what ICMP errors are sourced from depends on the ports */
	if (g->host == NULL)
		return;
	tunnel_each(g->sadb, follow, p);
	if (g->policy_device != HOST_NONE)
		host_device_mtu(g->host, g->policy_device, cautious_mtu(g));
}
