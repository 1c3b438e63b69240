/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "gateway/state.h"

/* One that has taken over from another, which goes on living for a while. */
static bool is_rekey(const struct tunnel *t, const struct sa *sa)
{
	return sa->direction == SA_OUTBOUND && sa->tunnel_next != NULL &&
	       !sa_expired(sa->tunnel_next) && tunnel_sender(t) == sa;
}

int gateway_sa_add(struct gateway *g, const struct sa_spec *spec, struct sa **out,
		   struct fault *fault)
{
	struct provision *p = provision_of(g);
	struct sa *sa;

	if (p == NULL)
		return fault_set(fault, ENOMEM, "", "no memory for another SA");
	int err = sa_add(g->sadb, spec, &sa, fault);
	if (err != 0)
		return err;
	if (lifetime_start(p->lifetimes, sa, lifetime_clock()) != 0) {
		sa_delete(g->sadb, sa);
		return fault_set(fault, ENOMEM, "", "no memory for another SA");
	}
	if (sa->spec.udp)
		encap_port_take(p, sa->spec.local_port);
	struct tunnel *t = tunnel_get(g->sadb, sa->tunnel);
	if (sa->direction == SA_OUTBOUND)
		tunnel_device_mtu(p, t);
	if (out != NULL)
		*out = sa;
	tunnel_follow(p, t, "SA added");
	if (is_rekey(t, sa))
		sa_event(p, EVENT_TUNNEL_REKEY, sa, 0);
	return 0;
}

void gateway_sa_delete(struct gateway *g, struct sa *sa, const char *reason)
{
	struct provision *p = provision_of(g);
	struct tunnel *t = tunnel_get(g->sadb, sa->tunnel);
	bool udp = sa->spec.udp;
	uint16_t port = sa->spec.local_port;

	if (p != NULL)
		manual_forget(p, sa);
	lifetime_forget(sa);
	sa_delete(g->sadb, sa);
	if (p != NULL && udp)
		encap_port_give_back(p, port);
	if (p != NULL)
		tunnel_follow(p, t, reason);
}

int gateway_sa_update(struct gateway *g, struct sa *sa, const struct sa_update *update,
		      struct fault *fault)
{
	struct provision *p = provision_of(g);
	bool udp = sa->spec.udp;
	uint16_t port = sa->spec.local_port;

	if (p == NULL)
		return fault_set(fault, ENOMEM, "", "no memory to update an SA");
	int err = sa_update(g->sadb, sa, update, fault);
	if (err != 0)
		return err;
	if (sa->spec.udp)
		encap_port_take(p, sa->spec.local_port);
	if (udp)
		encap_port_give_back(p, port);
	struct tunnel *t = tunnel_get(g->sadb, sa->tunnel);
	if (t != NULL && sa->direction == SA_OUTBOUND)
		tunnel_device_mtu(p, t);
	return 0;
}
