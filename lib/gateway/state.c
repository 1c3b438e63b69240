/* SPDX-License-Identifier: BSD-3-Clause */
#include "gateway/state.h"

#include <stdlib.h>
#include <string.h>

static LIST_HEAD(, provision) provisions = LIST_HEAD_INITIALIZER(provisions);

struct provision *provision_of(struct gateway *g)
{
	struct provision *p;

	LIST_FOREACH (p, &provisions, in_list)
		if (p->g == g)
			return p;
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return NULL;
	p->encap_users = calloc(UINT16_MAX + 1, sizeof(*p->encap_users));
	if (p->encap_users == NULL) {
		free(p);
		return NULL;
	}
	p->g = g;
	TAILQ_INIT(&p->queue);
	LIST_INIT(&p->manuals);
	/* RFC 3948's port is open whether an SA uses it or not: NAT keepalives come there, too. */
	encap_port_take(p, 4500);
	LIST_INSERT_HEAD(&provisions, p, in_list);
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
		memset(care + p->cares, 0, (n - p->cares) * sizeof(*care));
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

void gateway_provision_stop(struct gateway *g)
{
	struct provision *p = provision_of(g);

	if (p == NULL)
		return;
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
	LIST_REMOVE(p, in_list);
	free(p->release);
	free(p->local);
	free(p->encap_users);
	free(p->care);
	free(p);
}
