/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/claim.h"
#include "control/state.h"
#include "control/view.h"
#include "gateway/provision.h"
#include "port/host.h"

static_assert(TUNNEL_NAME_MAX == 64 && TUNNEL_DEVICE_MAX == 16, "tunnel.add name, device");

#define MTU_MIN 576

static void put_spi(json_t *view, const char *name, const struct sa *sa)
{
	if (sa != NULL)
		json_object_set_new(view, name, json_integer(sa->spi));
}

static uint32_t length(const struct sa *list)
{
	uint32_t n = 0;

	for (; list != NULL; list = list->tunnel_next)
		n++;
	return n;
}

json_t *tunnel_view(const struct control *c, const struct tunnel *t)
{
	const struct tunnel_spec *spec = &t->spec;
	struct tunnel_totals sum;
	json_t *view = json_pack("{s:s, s:s, s:I}", "name", spec->name, "state", tunnel_state(t),
				 "since", (json_int_t)call_seconds_since(t->since_tsc));

	if (t->reason[0] != '\0')
		json_object_set_new(view, "reason", json_string(t->reason));
	if (spec->local.family != 0)
		json_object_set_new(view, "local", address_view(&spec->local));
	if (spec->remote.family != 0)
		json_object_set_new(view, "remote", address_view(&spec->remote));
	json_object_set_new(view, "device", json_string(spec->device));
	if (t->device != HOST_NONE)
		json_object_set_new(view, "ifindex", json_integer(t->ifindex));
	json_object_set_new(view, "mtu", json_integer(spec->mtu));
	json_object_set_new(view, "keepalive", json_integer(spec->keepalive));
	json_object_set_new(view, "trap", json_boolean(spec->trap));
	put_spi(view, "spi_in", t->in);
	put_spi(view, "spi_out", tunnel_sender(t));
	json_object_set_new(view, "sas_in", json_integer(length(t->in)));
	json_object_set_new(view, "sas_out", json_integer(length(t->out)));
	put_session(view, c, t->session);
	tunnel_totals(t, &sum);
	json_object_set_new(
	    view, "totals",
	    json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "packets_in", (json_int_t)sum.packets_in,
		      "bytes_in", (json_int_t)sum.bytes_in, "packets_out",
		      (json_int_t)sum.packets_out, "bytes_out", (json_int_t)sum.bytes_out,
		      "drops_in", (json_int_t)sum.drops_in, "drops_out",
		      (json_int_t)sum.drops_out));
	return view;
}

/* What the kernel takes as the name of a network device (dev_valid_name). */
static bool is_device_name(const char *name)
{
	if (name[0] == '\0' || strlen(name) >= TUNNEL_DEVICE_MAX || strcmp(name, ".") == 0 ||
	    strcmp(name, "..") == 0)
		return false;
	for (; *name != '\0'; name++)
		if (*name == '/' || *name == ':' || *name == '%' || !isgraph((unsigned char)*name))
			return false;
	return true;
}

static int read_device(struct call *call, struct tunnel_spec *spec)
{
	const char *device = call_text(call, "device");

	if (device == NULL) {
		if (!is_device_name(spec->name))
			return call_fault(
			    call, EINVAL, "device",
			    "the name is no device name (at most 15 bytes, no \":\" or "
			    "\"%%\"); give device, or \"\" for a policy-based tunnel");
		device = spec->name;
	} else if (device[0] != '\0' && !is_device_name(device)) {
		return call_fault(
		    call, EINVAL, "device",
		    "\"%s\" is no device name (at most 15 visible characters, no \"/\", "
		    "\":\" or \"%%\")",
		    device);
	}
	memcpy(spec->device, device, strlen(device) + 1);
	return 0;
}

static int check_mtu(struct call *call, int64_t mtu)
{
	if (mtu != 0 && mtu < MTU_MIN)
		return call_fault(call, EINVAL, "mtu", "%d is below %d; 0 lets it be computed",
				  (int)mtu, MTU_MIN);
	return 0;
}

static bool is_same(const struct tunnel_spec *a, const struct tunnel_spec *b)
{
	return strcmp(a->device, b->device) == 0 && ip_addr_equal(&a->local, &b->local) &&
	       ip_addr_equal(&a->remote, &b->remote) && a->mtu == b->mtu &&
	       a->keepalive == b->keepalive && a->trap == b->trap;
}

int call_tunnel_add(struct call *call)
{
	struct tunnel_spec spec = {.local = call_address(call, "local"),
				   .remote = call_address(call, "remote"),
				   .mtu = (uint16_t)call_integer(call, "mtu"),
				   .keepalive = (uint16_t)call_integer(call, "keepalive"),
				   .trap = call_boolean(call, "trap")};
	struct tunnel *t = NULL;

	snprintf(spec.name, sizeof(spec.name), "%s", call_text(call, "name"));
	int rc = check_mtu(call, call_integer(call, "mtu"));
	if (rc == 0)
		rc = read_device(call, &spec);
	if (rc != 0)
		return rc;
	struct tunnel *before = tunnel_find(call->g->sadb, spec.name);
	if (before != NULL && call_boolean(call, "exist_ok") && is_same(&before->spec, &spec))
		t = before;
	else
		rc = gateway_tunnel_add(call->g, &spec, &t, &call->error.fault);
	if (rc != 0)
		return rc;
	claim_tunnel(call, t, t != before);
	call->result = json_pack("{s:b, s:s, s:s}", "created", t != before, "name", spec.name,
				 "device", t->spec.device);
	return 0;
}

int call_tunnel_update(struct call *call)
{
	struct tunnel *t = call_tunnel(call, "name");
	const struct tunnel_update update = {
	    .set_mtu = call_has(call, "mtu"),
	    .set_keepalive = call_has(call, "keepalive"),
	    .set_trap = call_has(call, "trap"),
	    .mtu = (uint16_t)call_integer(call, "mtu"),
	    .keepalive = (uint16_t)call_integer(call, "keepalive"),
	    .trap = call_boolean(call, "trap"),
	};

	if (t == NULL)
		return -ENOENT;
	if (!update.set_mtu && !update.set_keepalive && !update.set_trap)
		return call_fault(call, EINVAL, "",
				  "nothing to update: give mtu, keepalive or trap");
	int rc = check_mtu(call, call_integer(call, "mtu"));
	if (rc != 0)
		return rc;
	gateway_tunnel_update(call->g, t, &update);
	claim_tunnel(call, t, false);
	call->result = tunnel_view(call->control, t);
	return 0;
}

int call_tunnel_reset(struct call *call)
{
	struct tunnel *t = call_tunnel(call, "name");

	if (t == NULL)
		return -ENOENT;
	uint32_t sas = length(t->in) + length(t->out);
	int rc = gateway_tunnel_reset(call->g, t, call_text(call, "reason"), &call->error.fault);
	if (rc != 0)
		return rc;
	call->result = json_pack("{s:I}", "deleted", (json_int_t)sas);
	return 0;
}

int call_tunnel_delete(struct call *call)
{
	struct tunnel *t = call_tunnel(call, "name");

	if (t == NULL && !call_boolean(call, "missing_ok"))
		return -ENOENT;
	if (t != NULL) {
		int rc = gateway_tunnel_delete(call->g, t, &call->error.fault);
		if (rc != 0)
			return rc;
	}
	call->result = json_pack("{s:b}", "deleted", t != NULL);
	return 0;
}

int call_tunnel_get(struct call *call)
{
	struct tunnel *t = call_tunnel(call, "name");

	if (t == NULL)
		return -ENOENT;
	call->result = tunnel_view(call->control, t);
	return 0;
}

struct listing {
	struct page page;
	const struct control *control;
	int64_t after; /* index; -1: from the start */
};

static bool list_one(void *arg, struct tunnel *t)
{
	struct listing *l = arg;

	if ((int64_t)t->index <= l->after)
		return true;
	if (!page_room(&l->page))
		return false;
	page_add(&l->page, tunnel_view(l->control, t), "%u", t->index);
	return true;
}

int call_tunnel_list(struct call *call)
{
	struct listing l = {.control = call->control, .after = -1};
	int rc = page_after(call, &l.after);

	if (rc != 0)
		return rc;
	page_begin(&l.page, call);
	tunnel_each(call->g->sadb, list_one, &l);
	call->result = page_end(&l.page);
	return 0;
}

int call_tunnel_send_dummy(struct call *call)
{
	struct tunnel *t = call_tunnel(call, "name");
	uint32_t count = (uint32_t)call_integer(call, "count");

	if (t == NULL)
		return -ENOENT;
	int rc = gateway_send_dummy(call->g, t, count, (uint16_t)call_integer(call, "length"),
				    &call->error.fault);
	if (rc != 0)
		return rc;
	call->result = json_pack("{s:I}", "sent", (json_int_t)count);
	return 0;
}
