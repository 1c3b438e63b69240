/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec.h"

#include "connection.h"
#include "events.h"
#include "policy_map.h"
#include "sa_map.h"
#include "sa_request.h"

static kernel_feature_t get_features(kernel_ipsec_t *this)
{
	/*
	 * TFC padding is taken off. Not KERNEL_NO_POLICY_UPDATES: charon would skip new
	 * reqids and virtual addresses when addresses change. Not KERNEL_POLICY_SPI: the
	 * newest outbound SA sends, so that charon must install it when it is to send.
	 */
	return KERNEL_ESP_V3_TFC;
}

static status_t get_cpi(kernel_ipsec_t *this, host_t *src, host_t *dst, uint16_t *cpi)
{
	return NOT_SUPPORTED;
}

static bool is_trap(const kernel_ipsec_manage_policy_t *data)
{
	return data->type == POLICY_IPSEC && data->sa != NULL && data->sa->esp.spi == 0;
}

static status_t add_policy(kernel_ipsec_t *this, kernel_ipsec_policy_id_t *id,
			   kernel_ipsec_manage_policy_t *data)
{
	struct names names = {.trap = false};

	if (id->dir != POLICY_OUT)
		return SUCCESS;
	if (data->type == POLICY_IPSEC && (data->sa == NULL || !data->sa->esp.use)) {
		DBG1(DBG_KNL, "kernel-espalier: the gateway has ESP only, not AH");
		return NOT_SUPPORTED;
	}
	if (is_trap(data))
		names_of_trap(id, data->src, data->dst, &names);
	shadow_lock();
	status_t status = policy_map_add(id, data, &names);
	shadow_unlock();
	return status;
}

static status_t del_policy(kernel_ipsec_t *this, kernel_ipsec_policy_id_t *id,
			   kernel_ipsec_manage_policy_t *data)
{
	if (id->dir != POLICY_OUT)
		return SUCCESS;
	shadow_lock();
	status_t status = policy_map_remove(id, data);
	shadow_unlock();
	return status;
}

/* A policy is used when an SA of its tunnel is. */
static status_t query_policy(kernel_ipsec_t *this, kernel_ipsec_policy_id_t *id,
			     kernel_ipsec_query_policy_t *data, time_t *use_time)
{
	bool inbound = id->dir == POLICY_IN;
	struct sa_use use = {.last_used_s = 0};
	struct sa sa;

	if (id->dir == POLICY_FWD)
		return NOT_SUPPORTED;
	shadow_lock();
	struct tunnel *t = inbound ? policy_map_tunnel(id->dst_ts, id->src_ts)
				   : policy_map_tunnel(id->src_ts, id->dst_ts);
	bool found = t != NULL && sa_map_newest(t, inbound, &sa);
	shadow_unlock();
	if (!found)
		return NOT_FOUND;
	int rc = sa_request_query(&sa, &use);
	sa_clear(&sa);
	if (rc != 0)
		return FAILED;
	*use_time = use.last_used_s;
	return SUCCESS;
}

static status_t flush_policies(kernel_ipsec_t *this)
{
	shadow_lock();
	policy_map_flush();
	shadow_unlock();
	return SUCCESS;
}

/* The gateway leaves IKE to the kernel, on ports 500 and 4500 alike. */
static bool bypass_socket(kernel_ipsec_t *this, int fd, int family)
{
	return true;
}

static bool enable_udp_decap(kernel_ipsec_t *this, int fd, int family, uint16_t port)
{
	return true;
}

static void destroy(kernel_ipsec_t *this)
{
	events_stop();
	policy_map_close();
	sa_map_close();
	tunnel_map_close();
	connection_close();
	free(this);
}

kernel_ipsec_t *ipsec_create(void)
{
	kernel_ipsec_t *this;

	if (!connection_open())
		return NULL; /* no memory */
	tunnel_map_open();
	sa_map_open();
	policy_map_open();
	INIT(this, .get_features = get_features, .get_spi = ipsec_get_spi, .get_cpi = get_cpi,
	     .add_sa = ipsec_add_sa, .update_sa = ipsec_update_sa, .query_sa = ipsec_query_sa,
	     .del_sa = ipsec_del_sa, .flush_sas = ipsec_flush_sas, .add_policy = add_policy,
	     .query_policy = query_policy, .del_policy = del_policy,
	     .flush_policies = flush_policies, .bypass_socket = bypass_socket,
	     .enable_udp_decap = enable_udp_decap, .destroy = destroy, );
	events_start();
	return this;
}
