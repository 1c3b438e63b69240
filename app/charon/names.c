/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "names.h"

/* Of the CHILD_SA that this thread installs; SPI 0: none yet. */
static __thread struct {
	uint32_t spi_in;
	struct names names;
} installing;

static bool for_many_peers(ike_cfg_t *ike)
{
	char *other = ike->get_other_addr(ike);

	/* An address, a name, or several of one peer; else any, a subnet or a range. */
	return other == NULL || strstr(other, "%any") != NULL || strchr(other, '/') != NULL ||
	       streq(other, "0.0.0.0") || streq(other, "::");
}

static void fill(struct names *names, const char *connection, child_cfg_t *child)
{
	*names = (struct names){.trap = false};
	snprintf(names->connection, sizeof(names->connection), "%s", connection);
	snprintf(names->child, sizeof(names->child), "%s", child->get_name(child));
	names->trap = ((child->get_start_action(child) | child->get_close_action(child) |
			child->get_dpd_action(child)) &
		       ACTION_TRAP) != 0;
}

static void fill_for(struct names *names, ike_sa_t *ike_sa, child_sa_t *child_sa)
{
	ike_cfg_t *ike = ike_sa->get_ike_cfg(ike_sa);

	fill(names, ike_sa->get_name(ike_sa), child_sa->get_config(child_sa));
	if (ike != NULL && for_many_peers(ike))
		snprintf(names->peer, sizeof(names->peer), "%Y", ike_sa->get_other_eap_id(ike_sa));
}

static bool child_state_change(listener_t *this, ike_sa_t *ike_sa, child_sa_t *child_sa,
			       child_sa_state_t state)
{
	if (state != CHILD_INSTALLING || ike_sa == NULL)
		return true;
	installing.spi_in = child_sa->get_spi(child_sa, true);
	fill_for(&installing.names, ike_sa, child_sa);
	return true;
}

listener_t *names_listener(void)
{
	static listener_t listener = {.child_state_change = child_state_change};

	return &listener;
}

bool names_of_sa(uint32_t spi, bool inbound, struct names *names)
{
	ike_sa_t *ike_sa = charon->bus->get_sa(charon->bus);
	bool found = false;

	/* After a rekey the outbound SA is installed later, when the child is among the others. */
	if (ike_sa != NULL && (!inbound || installing.spi_in != spi)) {
		enumerator_t *e = ike_sa->create_child_sa_enumerator(ike_sa);
		child_sa_t *child_sa;
		while (!found && e->enumerate(e, &child_sa)) {
			if (child_sa->get_spi(child_sa, inbound) != spi)
				continue;
			fill_for(names, ike_sa, child_sa);
			found = true;
		}
		e->destroy(e);
	}
	if (!found && installing.spi_in != 0 && (!inbound || installing.spi_in == spi)) {
		*names = installing.names;
		found = true;
	}
	if (!found)
		*names = (struct names){.trap = false};
	return found;
}

/* Whether `child` would have exactly this selector on that side. */
static bool has_selector(child_cfg_t *child, bool local, traffic_selector_t *wanted, host_t *host)
{
	linked_list_t *hosts = linked_list_create_with_items(host, NULL);
	linked_list_t *list = child->get_traffic_selectors(child, local, NULL, hosts, false);
	enumerator_t *e = list->create_enumerator(list);
	traffic_selector_t *ts;
	bool found = false;

	while (!found && e->enumerate(e, &ts))
		found = ts->equals(ts, wanted);
	e->destroy(e);
	list->destroy_offset(list, offsetof(traffic_selector_t, destroy));
	hosts->destroy(hosts);
	return found;
}

static bool peer_is(peer_cfg_t *peer, host_t *remote)
{
	ike_cfg_t *ike = peer->get_ike_cfg(peer);

	return ike->match_other(ike, remote) > 0;
}

bool names_of_trap(kernel_ipsec_policy_id_t *id, host_t *local, host_t *remote, struct names *names)
{
	enumerator_t *peers = charon->backends->create_peer_cfg_enumerator(
	    charon->backends, NULL, NULL, NULL, NULL, IKE_ANY);
	peer_cfg_t *peer;
	int best = -1;

	*names = (struct names){.trap = true};
	while (peers->enumerate(peers, &peer)) {
		enumerator_t *children = peer->create_child_cfg_enumerator(peer);
		child_cfg_t *child;
		while (children->enumerate(children, &child)) {
			if (!has_selector(child, true, id->src_ts, local) ||
			    !has_selector(child, false, id->dst_ts, remote))
				continue;
			uint32_t if_id = child->get_if_id(child, false);
			int fit = 4 * peer_is(peer, remote) +
				  2 * ((child->get_start_action(child) & ACTION_TRAP) != 0) +
				  (if_id == id->if_id || IF_ID_IS_UNIQUE(if_id));
			if (fit <= best)
				continue;
			best = fit;
			fill(names, peer->get_name(peer), child);
			names->trap = true;
		}
		children->destroy(children);
	}
	peers->destroy(peers);
	return best >= 0;
}
