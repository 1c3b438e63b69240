/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/check.h"
#include "config/keys.h"
#include "config/schema.h"

#define NAME_MAX_TUNNEL 48
#define SELECTORS_MOST 32 /* SA_SELECTORS_MAX */

static int check_ends(struct check *c, const struct raw_tunnel *raw, struct config_tunnel *t)
{
	bool keys = raw->in != NULL || raw->out != NULL;

	if ((raw->local != NULL || keys) &&
	    check_address(c, "tunnels[].local", raw->local, &t->local) != 0)
		return -EINVAL;
	if ((raw->remote != NULL || keys) &&
	    check_address(c, "tunnels[].remote", raw->remote, &t->remote) != 0)
		return -EINVAL;
	if (t->local.family != 0 && t->remote.family != 0 && t->local.family != t->remote.family)
		return check_fault(c, "tunnels[].remote", "%s is not of the IP family of local, %s",
				   raw->remote, raw->local);
	if (t->local.family != 0 && ip_addr_equal(&t->local, &t->remote))
		return check_fault(c, "tunnels[].remote",
				   "%s is the local address, too; the peer's is needed",
				   raw->remote);
	return 0;
}

static int check_encapsulation(struct check *c, const struct raw_tunnel *raw,
			       struct config_tunnel *t)
{
	uint64_t local, remote;

	t->udp = check_word("tunnels[].encapsulation", raw->encapsulation) == WORD_UDP;
	if (!t->udp && raw->local_port != NULL)
		return check_fault(c, "tunnels[].local_port", "needs encapsulation: udp");
	if (!t->udp && raw->remote_port != NULL)
		return check_fault(c, "tunnels[].remote_port", "needs encapsulation: udp");
	if (check_number(c, "tunnels[].local_port", raw->local_port, &local) != 0 ||
	    check_number(c, "tunnels[].remote_port", raw->remote_port, &remote) != 0)
		return -EINVAL;
	t->local_port = (uint16_t)local;
	t->remote_port = (uint16_t)remote;
	return 0;
}

static int check_dscp(struct check *c, const char *text, int *out)
{
	char *end;

	*out = -1;
	if (text == NULL || strcmp(text, "copy") == 0)
		return 0;
	unsigned long value = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || value > 63)
		return check_fault(c, "tunnels[].dscp",
				   "\"%.20s\" is no DSCP; copy, or 0 to 63, is needed", text);
	*out = (int)value;
	return 0;
}

static int check_treatment(struct check *c, const struct raw_tunnel *raw, struct config_tunnel *t)
{
	uint64_t mtu = 0, keepalive, window, priority;
	const uint64_t *given_window = raw->replay_window;

	if (given_window != NULL && *given_window == 0)
		given_window = NULL;
	if ((raw->mtu != NULL && check_number(c, "tunnels[].mtu", raw->mtu, &mtu) != 0) ||
	    check_number(c, "tunnels[].keepalive", raw->keepalive, &keepalive) != 0 ||
	    check_number(c, "tunnels[].replay_window", given_window, &window) != 0 ||
	    check_number(c, "tunnels[].priority", raw->priority, &priority) != 0 ||
	    check_dscp(c, raw->dscp, &t->dscp) != 0)
		return -EINVAL;
	t->mtu = (uint16_t)mtu;
	t->keepalive = (uint16_t)keepalive;
	t->replay_window =
	    raw->replay_window != NULL && given_window == NULL ? 0 : (uint32_t)window;
	t->priority = (uint32_t)priority;
	t->esn = check_word("tunnels[].esn", raw->esn) != 0;
	t->df = (unsigned int)check_word("tunnels[].df", raw->df);
	return 0;
}

static int check_selectors(struct check *c, const struct raw_tunnel *raw, struct config_tunnel *t)
{
	if (raw->selectors_count == 0)
		return 0;
	t->selectors = calloc(2 * (size_t)raw->selectors_count, sizeof(*t->selectors));
	if (t->selectors == NULL)
		return fault_set(c->fault, ENOMEM, "", "out of memory");
	for (c->at[1] = 0; c->at[1] < raw->selectors_count; c->at[1]++) {
		int n = check_selector(c, "tunnels[].selectors[]", &raw->selectors[c->at[1]],
				       t->selectors + t->selectors_count);
		if (n < 0)
			return n;
		t->selectors_count += (size_t)n;
	}
	if (t->selectors_count > SELECTORS_MOST)
		return check_fault(
		    c, "tunnels[].selectors",
		    "%zu selectors (any to any counts twice, once for each IP family); "
		    "at most %u are possible",
		    t->selectors_count, SELECTORS_MOST);
	return 0;
}

/* A tunnel without selectors is route-based, one with them policy-based, unless it says so. */
static int check_device(struct check *c, const struct raw_tunnel *raw, struct config_tunnel *t)
{
	t->device = "";
	if (raw->device != NULL) {
		if (strcmp(raw->device, "none") == 0)
			return 0;
		if (check_text(c, "tunnels[].device", raw->device, NULL, &t->device) != 0)
			return -EINVAL;
		return check_device_name(c, "tunnels[].device", t->device);
	}
	if (t->selectors_count > 0)
		return 0;
	if (strlen(t->name) > 15 || strchr(t->name, ':') != NULL)
		return check_fault(
		    c, "tunnels[].device",
		    "missing; \"%s\" is no name for a netdev (at most 15 characters, no "
		    "colon): give another, or none where policies choose the tunnel",
		    t->name);
	t->device = t->name;
	return check_device_name(c, "tunnels[].name", t->name);
}

static int check_tunnel(struct check *c, const struct raw_tunnel *raw, struct config_tunnel *t)
{
	if (check_name(c, "tunnels[].name", raw->name, NAME_MAX_TUNNEL, &t->name) != 0)
		return -EINVAL;
	int err = check_ends(c, raw, t);
	if (err == 0)
		err = check_encapsulation(c, raw, t);
	if (err == 0)
		err = check_treatment(c, raw, t);
	if (err == 0)
		err = check_selectors(c, raw, t);
	return err != 0 ? err : check_device(c, raw, t);
}

static const char *tunnel_name(const struct check *c, size_t i)
{
	return c->config->tunnels[i].name;
}

static int compare_tunnels(const void *a, const void *b)
{
	return strcmp((*(const struct config_tunnel *const *)a)->name,
		      (*(const struct config_tunnel *const *)b)->name);
}

static int sort_tunnels(struct check *c)
{
	size_t n = c->config->tunnels_count;

	c->tunnels_sorted = calloc(n + 1, sizeof(struct config_tunnel *));
	if (c->tunnels_sorted == NULL)
		return fault_set(c->fault, ENOMEM, "", "out of memory");
	for (size_t i = 0; i < n; i++)
		c->tunnels_sorted[i] = &c->config->tunnels[i];
	qsort(c->tunnels_sorted, n, sizeof(struct config_tunnel *), compare_tunnels);
	return 0;
}

const struct config_tunnel *check_tunnel_find(const struct check *c, const char *name)
{
	struct config_tunnel wanted = {.name = name};
	const struct config_tunnel *key = &wanted;
	const struct config_tunnel **found =
	    bsearch(&key, c->tunnels_sorted, c->config->tunnels_count,
		    sizeof(struct config_tunnel *), compare_tunnels);

	return found != NULL ? *found : NULL;
}

int check_tunnels(struct check *c)
{
	struct config *config = c->config;
	size_t n = c->raw->tunnels_count;

	if (n > config->tunnels_max)
		return check_fault(c, "tunnels", "%zu tunnels; limits.tunnels allows %u", n,
				   config->tunnels_max);
	config->tunnels = calloc(n + 1, sizeof(*config->tunnels));
	if (config->tunnels == NULL)
		return fault_set(c->fault, ENOMEM, "", "out of memory");
	for (size_t i = 0; i < n; i++) {
		c->at[0] = i;
		config->tunnels_count = i + 1;
		int err = check_tunnel(c, &c->raw->tunnels[i], &config->tunnels[i]);
		if (err != 0)
			return err;
	}
	int err = check_unique(c, "tunnels[].name", n, tunnel_name);
	return err != 0 ? err : sort_tunnels(c);
}
