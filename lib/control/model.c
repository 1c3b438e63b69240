/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "control/error_table.h"
#include "control/model.h"

static bool is_tunnel(const struct model *m, int tunnel)
{
	return m->tunnel[tunnel].used;
}

size_t model_sas_of(const struct model *m, int tunnel, enum model_direction direction,
		    const struct model_sa **newest)
{
	size_t n = 0;

	*newest = NULL;
	for (size_t i = 0; i < m->sas; i++) {
		if (m->sa[i].tunnel != tunnel || m->sa[i].direction != (int)direction)
			continue;
		*newest = &m->sa[i];
		n++;
	}
	return n;
}

static size_t count_of(const struct model *m, int direction)
{
	size_t n = 0;

	for (size_t i = 0; i < m->sas; i++)
		n += m->sa[i].direction == direction;
	return n;
}

/* ---- SAs ---- */

static void remove_sa(struct model *m, size_t i)
{
	if (m->sa[i].direction == MODEL_IN)
		m->key_received[m->sa[i].key] = true;
	memmove(&m->sa[i], &m->sa[i + 1], (--m->sas - i) * sizeof(m->sa[0]));
}

/* Negative `direction` or `tunnel`: any. Returns how many there were. */
static int remove_sas(struct model *m, int tunnel, int direction)
{
	int n = 0;

	for (size_t i = m->sas; i-- > 0;) {
		if ((tunnel >= 0 && m->sa[i].tunnel != tunnel) ||
		    (direction >= 0 && m->sa[i].direction != direction))
			continue;
		remove_sa(m, i);
		n++;
	}
	return n;
}

/* An inbound SPI is unique by itself, an outbound one with the peer. */
static struct model_sa *in_place(struct model *m, int direction, int spi, int remote)
{
	for (size_t i = 0; i < m->sas; i++)
		if (m->sa[i].direction == direction && m->sa[i].spi == spi &&
		    (direction == MODEL_IN || m->sa[i].remote == remote))
			return &m->sa[i];
	return NULL;
}

static bool key_is_free(const struct model *m, int key, int direction)
{
	for (size_t i = 0; i < m->sas; i++)
		if (m->sa[i].key == key)
			return false;
	return direction == MODEL_IN || !m->key_received[key];
}

/* 0: it can be added; EXISTS with *same where this very SA is there. */
static int check_sa(struct model *m, const struct model_sa *sa, bool *same)
{
	const struct model_sa *there = in_place(m, sa->direction, sa->spi, sa->remote);

	*same = there != NULL && there->key == sa->key && there->tunnel == sa->tunnel;
	if (there != NULL)
		return RPC_EXISTS;
	if (count_of(m, sa->direction) >= MODEL_SAS_MAX)
		return RPC_FULL;
	return key_is_free(m, sa->key, sa->direction) ? 0 : RPC_EXISTS;
}

static struct model_sa sa_of(const struct model *m, const struct request *r)
{
	int remote = r->remote != ABSENT ? r->remote : m->tunnel[r->tunnel].remote;

	return (struct model_sa){.direction = r->direction,
				 .spi = r->spi,
				 .key = r->key,
				 .tunnel = r->tunnel,
				 .remote = remote,
				 .udp = r->udp == 1,
				 .local_port = 4500,
				 .hard_packets = r->hard_packets};
}

static int sa_add(struct model *m, const struct request *r, int *count)
{
	bool same;

	if (!is_tunnel(m, r->tunnel))
		return RPC_NOT_FOUND;
	struct model_sa sa = sa_of(m, r);
	int code = check_sa(m, &sa, &same);
	*count = code == 0;
	if (code == 0)
		m->sa[m->sas++] = sa;
	return code == RPC_EXISTS && r->ok && same ? 0 : code;
}

/* One by one in a copy, which is thrown away where one is refused. */
static int sa_add_many(struct model *m, const struct request *r, int *count)
{
	struct model copy = *m;
	int created;

	*count = 0;
	if (!is_tunnel(m, r->tunnel))
		return RPC_NOT_FOUND;
	for (size_t i = 0; i < r->rows; i++) {
		struct request one = *r;
		one.spi = r->row[i].spi;
		one.key = r->row[i].key;
		/* What another row says is no SA that is there already. */
		for (size_t other = 0; other < i; other++)
			if (r->row[other].spi == one.spi || r->row[other].key == one.key)
				return RPC_EXISTS;
		int code = sa_add(&copy, &one, &created);
		if (code != 0)
			return code;
		*count += created;
	}
	*m = copy;
	return 0;
}

/* The newest that direction, SPI, tunnel and remote say; NULL with *code. */
static struct model_sa *find_sa(struct model *m, const struct request *r, int *code)
{
	*code = RPC_NOT_FOUND;
	if (r->tunnel != ABSENT && !is_tunnel(m, r->tunnel))
		return NULL;
	if (r->tunnel == ABSENT && r->remote == ABSENT && r->direction == MODEL_OUT) {
		*code = RPC_REFUSED;
		return NULL;
	}
	for (size_t i = m->sas; i-- > 0;) {
		struct model_sa *sa = &m->sa[i];
		if (sa->direction == r->direction && sa->spi == r->spi &&
		    (r->tunnel == ABSENT || sa->tunnel == r->tunnel) &&
		    (r->remote == ABSENT || sa->remote == r->remote))
			return sa;
	}
	return NULL;
}

static int sa_update(struct model *m, const struct request *r)
{
	int code;
	struct model_sa *sa = find_sa(m, r, &code);

	if (sa == NULL)
		return code;
	if (r->new_remote == ABSENT && r->udp == ABSENT && r->local_port == ABSENT)
		return RPC_REFUSED;
	bool udp = r->udp != ABSENT ? r->udp == 1 : sa->udp;
	if (r->local_port != ABSENT && !udp)
		return RPC_REFUSED;
	if (r->new_remote != ABSENT && sa->direction == MODEL_OUT) {
		const struct model_sa *other = in_place(m, MODEL_OUT, sa->spi, r->new_remote);
		if (other != NULL && other != sa)
			return RPC_EXISTS;
	}
	if (r->new_remote != ABSENT)
		sa->remote = r->new_remote;
	if (udp && !sa->udp)
		sa->local_port = 4500;
	sa->udp = udp;
	if (r->local_port != ABSENT)
		sa->local_port = r->local_port;
	return 0;
}

static int sa_delete(struct model *m, const struct request *r, int *count)
{
	int code;
	const struct model_sa *sa = find_sa(m, r, &code);

	*count = sa != NULL;
	if (sa == NULL)
		return code == RPC_NOT_FOUND && r->ok ? 0 : code;
	remove_sa(m, (size_t)(sa - m->sa));
	return 0;
}

static int sa_flush(struct model *m, const struct request *r, int *count)
{
	if (r->tunnel != ABSENT && !is_tunnel(m, r->tunnel))
		return RPC_NOT_FOUND;
	*count = remove_sas(m, r->tunnel, r->direction);
	return 0;
}

/* ---- Tunnels ---- */

static int tunnel_add(struct model *m, const struct request *r, int *count)
{
	struct model_tunnel *t = &m->tunnel[r->tunnel];
	const struct model_tunnel wanted = {.used = true,
					    .trap = r->trap == 1,
					    .mtu = r->mtu != ABSENT ? r->mtu : 0,
					    .keepalive = r->keepalive != ABSENT ? r->keepalive : 20,
					    .remote = r->remote};
	int used = 0;

	*count = 0;
	if (wanted.mtu != 0 && wanted.mtu < 576)
		return RPC_REFUSED;
	if (t->used)
		return r->ok && t->trap == wanted.trap && t->mtu == wanted.mtu &&
			       t->keepalive == wanted.keepalive && t->remote == wanted.remote
			   ? 0
			   : RPC_EXISTS;
	for (int i = 0; i < MODEL_NAMES; i++)
		used += m->tunnel[i].used;
	if (used >= MODEL_TUNNELS_MAX)
		return RPC_FULL;
	*t = wanted;
	*count = 1;
	return 0;
}

static int tunnel_update(struct model *m, const struct request *r)
{
	struct model_tunnel *t = &m->tunnel[r->tunnel];

	if (!t->used)
		return RPC_NOT_FOUND;
	if (r->mtu == ABSENT && r->keepalive == ABSENT && r->trap == ABSENT)
		return RPC_REFUSED;
	if (r->mtu != ABSENT && r->mtu != 0 && r->mtu < 576)
		return RPC_REFUSED;
	if (r->mtu != ABSENT)
		t->mtu = r->mtu;
	if (r->keepalive != ABSENT)
		t->keepalive = r->keepalive;
	if (r->trap != ABSENT)
		t->trap = r->trap == 1;
	return 0;
}

static int tunnel_delete(struct model *m, const struct request *r, int *count)
{
	*count = is_tunnel(m, r->tunnel);
	if (*count == 0)
		return r->ok ? 0 : RPC_NOT_FOUND;
	for (size_t i = 0; i < m->policies; i++)
		if (m->policy[i].action == MODEL_PROTECT && m->policy[i].tunnel == r->tunnel)
			return RPC_BUSY;
	remove_sas(m, r->tunnel, ABSENT);
	m->tunnel[r->tunnel] = (struct model_tunnel){0};
	return 0;
}

static int tunnel_reset(struct model *m, const struct request *r, int *count)
{
	if (!is_tunnel(m, r->tunnel))
		return RPC_NOT_FOUND;
	*count = remove_sas(m, r->tunnel, ABSENT);
	return 0;
}

/* ---- Policies ---- */

static size_t find_policy(const struct model *m, int name)
{
	size_t i = 0;

	while (i < m->policies && m->policy[i].name != name)
		i++;
	return i;
}

static void remove_policy(struct model *m, size_t i)
{
	memmove(&m->policy[i], &m->policy[i + 1], (--m->policies - i) * sizeof(m->policy[0]));
}

static int policy_add(struct model *m, const struct request *r, int *count)
{
	const struct model_policy p = {.name = r->name,
				       .action = r->action,
				       .priority = r->priority,
				       .tunnel = r->tunnel,
				       .selector = r->selector,
				       .trap = r->trap == 1};
	size_t i = find_policy(m, r->name);

	*count = 0;
	if ((r->action == MODEL_PROTECT) != (r->tunnel != ABSENT))
		return RPC_REFUSED;
	if (r->tunnel != ABSENT && !is_tunnel(m, r->tunnel))
		return RPC_NOT_FOUND;
	if (r->action != MODEL_PROTECT && r->trap == 1)
		return RPC_REFUSED;
	if (i < m->policies) {
		const struct model_policy *there = &m->policy[i];
		return r->ok && there->action == p.action && there->priority == p.priority &&
			       there->tunnel == p.tunnel && there->selector == p.selector &&
			       there->trap == p.trap
			   ? 0
			   : RPC_EXISTS;
	}
	/* Behind all that are asked before it: of the same priority, those are older. */
	for (i = m->policies++; i > 0 && m->policy[i - 1].priority > p.priority; i--)
		m->policy[i] = m->policy[i - 1];
	m->policy[i] = p;
	*count = 1;
	return 0;
}

static int policy_delete(struct model *m, const struct request *r, int *count)
{
	size_t i = find_policy(m, r->name);

	*count = i < m->policies;
	if (i == m->policies)
		return r->ok ? 0 : RPC_NOT_FOUND;
	remove_policy(m, i);
	return 0;
}

static int policy_flush(struct model *m, const struct request *r, int *count)
{
	*count = 0;
	if (r->tunnel != ABSENT && !is_tunnel(m, r->tunnel))
		return RPC_NOT_FOUND;
	for (size_t i = m->policies; i-- > 0;) {
		if (r->tunnel != ABSENT &&
		    (m->policy[i].action != MODEL_PROTECT || m->policy[i].tunnel != r->tunnel))
			continue;
		remove_policy(m, i);
		(*count)++;
	}
	return 0;
}

int model_apply(struct model *m, const struct request *r, int *count)
{
	*count = 0;
	if (r->broken)
		return RPC_INVALID_PARAMS;
	switch (r->op) {
	case OP_TUNNEL_ADD:
		return tunnel_add(m, r, count);
	case OP_TUNNEL_UPDATE:
		return tunnel_update(m, r);
	case OP_TUNNEL_DELETE:
		return tunnel_delete(m, r, count);
	case OP_TUNNEL_RESET:
		return tunnel_reset(m, r, count);
	case OP_SA_ADD:
		return sa_add(m, r, count);
	case OP_SA_ADD_MANY:
		return sa_add_many(m, r, count);
	case OP_SA_UPDATE:
		return sa_update(m, r);
	case OP_SA_DELETE:
		return sa_delete(m, r, count);
	case OP_SA_FLUSH:
		return sa_flush(m, r, count);
	case OP_POLICY_ADD:
		return policy_add(m, r, count);
	case OP_POLICY_DELETE:
		return policy_delete(m, r, count);
	default:
		return policy_flush(m, r, count);
	}
}
