/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "gateway/state.h"
#include "report/log.h"

static void set(struct gateway *g, uint16_t port, bool present)
{
	gateway_encap_port_set(g, port, present);
	int err = g->steer != NULL ? steer_encap_port_set(g->steer, port, present) : 0;
	if (err != 0)
		log_error("UDP port %u cannot be %s the datapath: %s", port,
			  present ? "steered to" : "taken from", strerror(-err));
}

void encap_port_take(struct provision *p, uint16_t port)
{
	if (p->encap_users[port]++ == 0)
		set(p->g, port, true);
}

void encap_port_give_back(struct provision *p, uint16_t port)
{
	if (--p->encap_users[port] == 0)
		set(p->g, port, false);
}
