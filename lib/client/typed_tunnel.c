/* SPDX-License-Identifier: BSD-3-Clause */
#include "client/typed.h"

int espalier_tunnel_add(struct espalier *e, const struct espalier_tunnel *tunnel, int timeout_ms,
			struct espalier_error *error)
{
	struct typed t = typed_begin();

	typed_text(&t, "name", tunnel->name);
	typed_text(&t, "device", tunnel->device);
	typed_text(&t, "local", tunnel->local);
	typed_text(&t, "remote", tunnel->remote);
	typed_limit(&t, "mtu", tunnel->mtu);
	if (tunnel->keepalive >= 0)
		typed_number(&t, "keepalive", (uint64_t)tunnel->keepalive);
	typed_flag(&t, "trap", tunnel->trap);
	typed_flag(&t, "exist_ok", tunnel->exist_ok);
	return typed_call(e, "tunnel.add", &t, NULL, timeout_ms, NULL, error);
}

static int delete_by_name(struct espalier *e, const char *method, const char *name, int timeout_ms,
			  struct espalier_error *error)
{
	struct typed t = typed_begin();

	typed_text(&t, "name", name);
	typed_bool(&t, "missing_ok", true);
	return typed_call(e, method, &t, NULL, timeout_ms, NULL, error);
}

int espalier_tunnel_delete(struct espalier *e, const char *name, int timeout_ms,
			   struct espalier_error *error)
{
	return delete_by_name(e, "tunnel.delete", name, timeout_ms, error);
}

int espalier_policy_add(struct espalier *e, const struct espalier_policy *policy, int timeout_ms,
			struct espalier_error *error)
{
	struct typed t = typed_begin();

	typed_text(&t, "name", policy->name);
	typed_text(&t, "action", policy->action);
	typed_text(&t, "tunnel", policy->tunnel);
	if (policy->priority >= 0)
		typed_number(&t, "priority", (uint64_t)policy->priority);
	typed_flag(&t, "trap", policy->trap);
	typed_json(&t, "selector", policy->selector);
	typed_flag(&t, "exist_ok", policy->exist_ok);
	return typed_call(e, "policy.add", &t, NULL, timeout_ms, NULL, error);
}

int espalier_policy_delete(struct espalier *e, const char *name, int timeout_ms,
			   struct espalier_error *error)
{
	return delete_by_name(e, "policy.delete", name, timeout_ms, error);
}
