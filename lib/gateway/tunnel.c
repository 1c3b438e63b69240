/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gateway/state.h"

static int device_add(struct provision *p, struct tunnel *t, struct fault *fault)
{
	struct gateway *g = p->g;
	uint16_t mtu = t->spec.mtu != 0 ? t->spec.mtu : cautious_mtu(g), device;
	struct tunnel_care *care = provision_care(p, t->index);
	int ifindex;

	if (care == NULL)
		return fault_set(fault, ENOMEM, "", "no memory for another tunnel");
	*care = (struct tunnel_care){.device_mtu = mtu, .state = "down"};
	if (t->spec.device[0] == '\0' || g->host == NULL)
		return 0;
	int err = host_tun_add(g->host, t->spec.device, mtu, t->handle, &device, &ifindex, fault);
	if (err != 0)
		return err;
	tunnel_set_device(g->sadb, t, device, ifindex);
	if (g->mirror == NULL)
		return 0;
	err = mirror_device_add(g->mirror, ifindex, MIRROR_TUNNEL, t->index, NULL, 0);
	if (err == 0)
		return 0;
	tunnel_set_device(g->sadb, t, HOST_NONE, 0);
	host_device_remove(g->host, device);
	return fault_set(fault, -err, "device", "routes to %s cannot be followed: %s",
			 t->spec.device, strerror(-err));
}

int gateway_tunnel_add(struct gateway *g, const struct tunnel_spec *spec, struct tunnel **out,
		       struct fault *fault)
{
	struct provision *p = provision_of(g);
	struct tunnel *t;

	if (p == NULL)
		return fault_set(fault, ENOMEM, "", "no memory for another tunnel");
	int err = tunnel_add(g->sadb, spec, &t, fault);
	if (err != 0)
		return err;
	err = device_add(p, t, fault);
	if (err != 0) {
		tunnel_delete(g->sadb, t);
		return err;
	}
	snprintf(t->reason, sizeof(t->reason), "tunnel added");
	if (out != NULL)
		*out = t;
	return 0;
}

void gateway_tunnel_update(struct gateway *g, struct tunnel *t, const struct tunnel_update *update)
{
	struct provision *p = provision_of(g);

	if (update->set_keepalive)
		t->spec.keepalive = update->keepalive;
	if (update->set_trap) {
		t->spec.trap = update->trap;
		tunnel_set_trap(g->sadb, t, t->spec.trap || t->traps > 0);
	}
	if (update->set_mtu) {
		tunnel_set_mtu(g->sadb, t, update->mtu);
		if (p != NULL)
			tunnel_device_mtu(p, t); /* the kernel's view follows */
	}
}

struct naming {
	uint32_t tunnel;
	const struct policy *policy;
};

static bool names_tunnel(void *arg, const struct policy *policy)
{
	struct naming *n = arg;

	if (policy->action == POLICY_PROTECT && policy->tunnel == n->tunnel)
		n->policy = policy;
	return n->policy == NULL;
}

int gateway_tunnel_delete(struct gateway *g, struct tunnel *t, struct fault *fault)
{
	struct provision *p = provision_of(g);
	struct naming n = {.tunnel = t->index};

	if (p == NULL)
		return fault_set(fault, ENOMEM, "", "no memory");
	policy_each(g->spd, names_tunnel, &n);
	if (n.policy != NULL)
		return fault_set(fault, EBUSY, "name",
				 "policy \"%s\" protects through tunnel \"%s\"; delete it first",
				 n.policy->name, t->spec.name);
	/* Workers may still see policies that were deleted but not committed. */
	if (p->uncommitted) {
		int err = gateway_commit(g, fault);
		if (err != 0)
			return err;
	}
	while (t->in != NULL)
		gateway_sa_delete(g, t->in, "tunnel deleted");
	while (t->out != NULL)
		gateway_sa_delete(g, t->out, "tunnel deleted");
	struct event gone = {.kind = EVENT_TUNNEL_GONE, .tunnel = t, .reason = "tunnel deleted"};
	event_raise(p, &gone);
	if (t->device != HOST_NONE) {
		prefix_unfix(p, t->ifindex);
		if (g->mirror != NULL)
			mirror_device_remove(g->mirror, t->ifindex);
		host_device_remove(g->host, t->device);
	}
	tunnel_delete(g->sadb, t);
	prefix_settle(p);
	return 0;
}

int gateway_policy_device_add(struct gateway *g, const char *name, struct fault *fault)
{
	uint16_t device;
	int ifindex;

	int err =
	    host_tun_add(g->host, name, cautious_mtu(g), TUNNEL_NONE, &device, &ifindex, fault);
	if (err != 0)
		return err;
	if (g->mirror != NULL) {
		err = mirror_device_add(g->mirror, ifindex, MIRROR_POLICY, 0, NULL, 0);
		if (err != 0) {
			host_device_remove(g->host, device);
			return fault_set(fault, -err, "", "routes to %s cannot be followed: %s",
					 name, strerror(-err));
		}
	}
	g->policy_device = device;
	g->policy_ifindex = ifindex;
	return 0;
}

int gateway_tunnel_route_add(struct gateway *g, struct tunnel *t, const struct ip_prefix *prefix,
			     struct fault *fault)
{
	struct provision *p = provision_of(g);

	if (p == NULL)
		return fault_set(fault, ENOMEM, "", "no memory for another route");
	int err = prefix_fix(p, prefix, t->ifindex);
	if (err != 0)
		return fault_set(fault, -err, "prefix", "the route to %s was refused: %s",
				 t->spec.name, strerror(-err));
	return 0;
}
