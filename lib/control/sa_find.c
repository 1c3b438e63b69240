/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "control/sa_find.h"
#include "control/state.h"

enum sa_direction call_direction(const struct call *call)
{
	const char *text = call_text(call, "direction");

	if (text == NULL)
		return 0;
	return strcmp(text, "out") == 0 ? SA_OUTBOUND : SA_INBOUND;
}

static struct sa *find_in_tunnel(const struct tunnel *t, enum sa_direction direction, uint32_t spi,
				 const struct ip_addr *remote)
{
	struct sa *sa = direction == SA_INBOUND ? t->in : t->out;

	while (sa != NULL && (sa->spi != spi ||
			      (remote->family != 0 && !ip_addr_equal(&sa->spec.remote, remote))))
		sa = sa->tunnel_next;
	return sa;
}

struct sa *call_sa(struct call *call)
{
	enum sa_direction direction = call_direction(call);
	uint32_t spi = (uint32_t)call_integer(call, "spi");
	struct ip_addr remote = call_address(call, "remote");
	struct sa *sa;

	if (call_has(call, "tunnel")) {
		struct tunnel *t = call_tunnel(call, "tunnel");
		if (t == NULL)
			return NULL;
		sa = find_in_tunnel(t, direction, spi, &remote);
	} else if (direction == SA_INBOUND) {
		sa = sa_find_in(call->g->sadb, spi);
		if (sa != NULL && remote.family != 0 && !ip_addr_equal(&sa->spec.remote, &remote))
			sa = NULL;
	} else if (remote.family != 0) {
		sa = sa_find_out(call->g->sadb, spi, &remote);
	} else {
		call_fault(call, EINVAL, "remote",
			   "an outbound SPI is not unique: give remote or tunnel too");
		return NULL;
	}
	if (sa == NULL)
		call_fault(call, ENOENT, "spi", "there is no such %s SA 0x%08x",
			   direction == SA_INBOUND ? "inbound" : "outbound", spi);
	return sa;
}

struct sa *find_spec(const struct gateway *g, const struct sa_spec *spec)
{
	return spec->direction == SA_INBOUND ? sa_find_in(g->sadb, spec->spi)
					     : sa_find_out(g->sadb, spec->spi, &spec->remote);
}

struct sa *find_same(const struct call *call, const struct sa_spec *spec)
{
	struct sa *sa = find_spec(call->g, spec);
	uint8_t digest[32];

	if (sa == NULL || sa->tunnel != spec->tunnel || sa->spec.algorithm != spec->algorithm)
		return NULL;
	aead_digest(call->control->aead, spec->key, aead_key_size(spec->algorithm), digest);
	return memcmp(digest, sa->key_digest, sizeof(sa->key_digest)) == 0 ? sa : NULL;
}
