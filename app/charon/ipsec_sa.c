/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec.h"

#include "connection.h"
#include "leftovers.h"
#include "reasons.h"
#include "sa_map.h"
#include "sa_request.h"
#include "selector.h"
#include "tunnel_map.h"

#define ENOENT_CODE 2 /* docs/control.md */

status_t ipsec_get_spi(kernel_ipsec_t *this, host_t *src, host_t *dst, uint8_t protocol,
		       uint32_t *spi)
{
	json_t *answer = NULL;
	struct sa replaced;

	if (protocol != IPPROTO_ESP) {
		DBG1(DBG_KNL, "kernel-espalier: the gateway has ESP only, not AH");
		return NOT_SUPPORTED;
	}
	if (connection_do("reserving an SPI", "spi.alloc", json_object(), &answer) != 0)
		return FAILED;
	*spi = htonl((uint32_t)json_integer_value(json_object_get(answer, "spi")));
	json_decref(answer);
	struct sa sa = {.spi = *spi,
			.protocol = protocol,
			.inbound = true,
			.local = dst->clone(dst),
			.remote = src->clone(src)};
	if (sa_map_put(&sa, &replaced))
		sa_clear(&replaced);
	return SUCCESS;
}

static struct tunnel *use_tunnel(const struct sa *sa, const kernel_ipsec_add_sa_t *data)
{
	struct names names;
	bool any = selectors_are_any(data->src_ts, data->dst_ts);

	names_of_sa(sa->spi, sa->inbound, &names);
	shadow_lock();
	struct tunnel *t = tunnel_use(&names, data->reqid, sa->local, sa->remote, any, false);
	shadow_unlock();
	return t;
}

static void unuse_tunnel(struct tunnel *t)
{
	if (t == NULL)
		return;
	shadow_lock();
	tunnel_unuse(t);
	shadow_unlock();
}

/* A gateway that was restarted in this moment, or an operator, may have deleted the tunnel. */
static int tell_again(struct tunnel *t)
{
	shadow_lock();
	int rc = tunnel_tell(t, true);
	shadow_unlock();
	return rc;
}

status_t ipsec_add_sa(kernel_ipsec_t *this, kernel_ipsec_sa_id_t *id, kernel_ipsec_add_sa_t *data)
{
	host_t *local = data->inbound ? id->dst : id->src;
	host_t *remote = data->inbound ? id->src : id->dst;
	struct sa replaced, sa = {.spi = id->spi,
				  .protocol = id->proto,
				  .inbound = data->inbound,
				  .installed = true,
				  .encap = data->encap,
				  .reqid = data->reqid,
				  .local = local->clone(local),
				  .remote = remote->clone(remote)};

	sa.tunnel = use_tunnel(&sa, data);
	if (sa.tunnel == NULL) {
		sa_clear(&sa);
		return FAILED;
	}
	int rc = sa_request_add(&sa, sa.tunnel->name, data);
	if (rc == ENOENT_CODE && tell_again(sa.tunnel) == 0)
		rc = sa_request_add(&sa, sa.tunnel->name, data);
	if (rc != 0) {
		/* An answer that came too late may have been yes. */
		if (rc == ESPALIER_TIMEOUT)
			sa_request_delete(&sa, "the gateway answered too late");
		unuse_tunnel(sa.tunnel);
		sa_clear(&sa);
		return FAILED;
	}
	struct tunnel *tunnel = sa.tunnel;
	bool inbound = sa.inbound;
	if (sa_map_put(&sa, &replaced)) {
		unuse_tunnel(replaced.tunnel);
		sa_clear(&replaced);
	}
	if (!inbound)
		leftovers_replaced(tunnel);
	return SUCCESS;
}

status_t ipsec_update_sa(kernel_ipsec_t *this, kernel_ipsec_sa_id_t *id,
			 kernel_ipsec_update_sa_t *data)
{
	struct sa sa = {.installed = false}, replaced;

	if (!sa_map_get(id->dst, id->spi, id->proto, &sa) || !sa.installed) {
		sa_clear(&sa);
		DBG1(DBG_KNL, "kernel-espalier: no SA 0x%08x to %H to update", ntohl(id->spi),
		     id->dst);
		return NOT_FOUND;
	}
	host_t *local = sa.inbound ? data->new_dst : data->new_src;
	host_t *remote = sa.inbound ? data->new_src : data->new_dst;
	struct sa moved = sa;
	moved.local = local->clone(local);
	moved.remote = remote->clone(remote);
	moved.encap = data->new_encap;
	if (data->new_reqid != 0)
		moved.reqid = data->new_reqid;
	if (sa_request_update(&moved, sa.remote) != 0) {
		sa_clear(&moved);
		sa_clear(&sa);
		return FAILED;
	}
	struct sa old;
	if (sa_map_remove(id->dst, id->spi, id->proto, &old))
		sa_clear(&old);
	shadow_lock();
	tunnel_moved(moved.tunnel, moved.local, moved.remote, data->new_reqid);
	shadow_unlock();
	if (sa_map_put(&moved, &replaced))
		sa_clear(&replaced);
	sa_clear(&sa);
	return SUCCESS;
}

status_t ipsec_query_sa(kernel_ipsec_t *this, kernel_ipsec_sa_id_t *id,
			kernel_ipsec_query_sa_t *data, uint64_t *bytes, uint64_t *packets,
			time_t *time)
{
	struct sa_use use;
	struct sa sa;

	if (!sa_map_get(id->dst, id->spi, id->proto, &sa))
		return NOT_FOUND;
	int rc = sa_request_query(&sa, &use);
	sa_clear(&sa);
	if (rc != 0)
		return FAILED;
	*bytes = use.bytes;
	*packets = use.packets;
	*time = use.last_used_s;
	return SUCCESS;
}

status_t ipsec_del_sa(kernel_ipsec_t *this, kernel_ipsec_sa_id_t *id, kernel_ipsec_del_sa_t *data)
{
	struct sa sa;

	/* charon also deletes what could not be added. */
	if (!sa_map_remove(id->dst, id->spi, id->proto, &sa))
		return NOT_FOUND;
	sa_request_delete(&sa, reason_now());
	unuse_tunnel(sa.tunnel);
	sa_clear(&sa);
	return SUCCESS;
}

status_t ipsec_flush_sas(kernel_ipsec_t *this)
{
	size_t n;
	struct sa *all = sa_map_all(&n), sa;

	for (size_t i = 0; i < n; i++) {
		host_t *dst = all[i].inbound ? all[i].local : all[i].remote;
		if (sa_map_remove(dst, all[i].spi, all[i].protocol, &sa)) {
			sa_request_delete(&sa, "flushed by charon");
			unuse_tunnel(sa.tunnel);
			sa_clear(&sa);
		}
		sa_clear(&all[i]);
	}
	free(all);
	return SUCCESS;
}
