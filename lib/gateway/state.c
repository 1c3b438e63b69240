/* SPDX-License-Identifier: BSD-3-Clause */
#include "gateway/state.h"

#include <stdlib.h>

struct provision *provision_of(struct gateway *g)
{
	if (g->provision != NULL)
		return g->provision;
	struct provision *p = calloc(1, sizeof(*p));
	if (p == NULL)
		return NULL;
	p->encap_users = calloc(UINT16_MAX + 1, sizeof(*p->encap_users));
	p->lifetimes = lifetimes_create(lifetime_clock());
	if (p->encap_users == NULL || p->lifetimes == NULL) {
		free(p->encap_users);
		free(p->lifetimes);
		free(p);
		return NULL;
	}
	p->g = g;
	TAILQ_INIT(&p->queue);
	LIST_INIT(&p->manuals);
	/* RFC 3948's port is open whether an SA uses it or not: NAT keepalives come there, too. */
	encap_port_take(p, 4500);
	g->provision = p;
	return p;
}

struct tunnel_care *provision_care(struct provision *p, uint32_t tunnel)
{
	if (tunnel >= p->cares) {
		uint32_t n = (tunnel + 64) & ~UINT32_C(63);
		n = n < p->cares * 2 ? p->cares * 2 : n;
		struct tunnel_care *care = realloc(p->care, n * sizeof(*care));
		if (care == NULL)
			return NULL;
		for (uint32_t i = p->cares; i < n; i++)
			care[i] = (struct tunnel_care){.state = "down"};
		p->care = care;
		p->cares = n;
	}
	return &p->care[tunnel];
}

static bool forget_device(void *arg, struct tunnel *t)
{
	struct gateway *g = arg;

	if (t->device != HOST_NONE) {
		if (g->mirror != NULL)
			mirror_device_remove(g->mirror, t->ifindex);
		host_device_remove(g->host, t->device);
		tunnel_set_device(g->sadb, t, HOST_NONE, 0);
	}
	return true;
}

static bool forget_timer(void *arg, struct sa *sa)
{
	(void)arg;
	lifetime_forget(sa);
	return true;
}

void gateway_provision_stop(struct gateway *g)
{
	struct provision *p = g->provision;

	if (p == NULL)
		return;
	sa_each(g->sadb, SA_INBOUND, forget_timer, NULL);
	sa_each(g->sadb, SA_OUTBOUND, forget_timer, NULL);
	if (g->host != NULL) {
		tunnel_each(g->sadb, forget_device, g);
		if (g->policy_device != HOST_NONE) {
			if (g->mirror != NULL)
				mirror_device_remove(g->mirror, g->policy_ifindex);
			host_device_remove(g->host, g->policy_device);
		}
	}
	g->policy_device = HOST_NONE;
	g->policy_ifindex = 0;
	while (!LIST_EMPTY(&p->manuals))
		manual_forget(p, LIST_FIRST(&p->manuals)->sa);
	prefix_free_all(p);
	for (int i = 0; i < 2; i++)
		free((void *)(uintptr_t)atomic_exchange(&g->icmp_source[i], NULL));
	g->provision = NULL;
	free(p->lifetimes);
	free(p->release);
	free(p->local);
	free(p->encap_users);
	free(p->care);
	free(p);
}
