/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>

#include "control/caller.h"
#include "control/dispatch.h"
#include "control/rpc.h"
#include "control/validate.h"
#include "gateway/event.h"
#include "report/log.h"

static int (*const functions[METHOD_COUNT])(struct call *call) = {
#define X(id, name, class, summary, example) [METHOD_##id] = call_##id,
    METHODS(X)
#undef X
};

static const struct method *method_of(const json_t *request)
{
	const char *name = json_string_value(json_object_get(request, "method"));

	return name != NULL ? method_find(name) : NULL;
}

/*
 * A tunnel's number may be used again as soon as no policy in effect names it, and
 * sweeping commits policies by itself.
 */
bool dispatch_needs_settled(const json_t *request)
{
	const struct method *m = method_of(request);

	return m == &method_table[METHOD_tunnel_add] || m == &method_table[METHOD_tunnel_delete] ||
	       m == &method_table[METHOD_session_sweep] || m == &method_table[METHOD_session_close];
}

/* Parameters by position get their names. A new reference; NULL: there are too many. */
static json_t *named(const struct method *method, json_t *params)
{
	if (params == NULL)
		return json_object();
	if (json_is_object(params))
		return json_incref(params);
	json_t *object = json_object();
	for (size_t i = 0; i < json_array_size(params); i++) {
		if (method->params[i].name == NULL) {
			json_decref(object);
			return NULL;
		}
		json_object_set(object, method->params[i].name, json_array_get(params, i));
	}
	return object;
}

/* Names that were validated; of other parameters nothing is logged, keys are among them. */
static void log_change(const struct call *call, const char *actor, int rc)
{
	const char *name = json_string_value(json_object_get(call->params, "name"));
	const char *tunnel = json_string_value(json_object_get(call->params, "tunnel"));
	json_int_t spi = json_integer_value(json_object_get(call->params, "spi"));
	char what[32] = "";

	if (spi != 0)
		snprintf(what, sizeof(what), " 0x%08x", (unsigned int)spi);
	log_debug("control: %s%s%s%s%s%s, asked by %s: %s", call->method->name,
		  name != NULL ? " " : "", name != NULL ? name : "", tunnel != NULL ? " of " : "",
		  tunnel != NULL ? tunnel : "", what, actor, rc == 0 ? "done" : "refused");
}

static void run(struct call *call)
{
	const struct method *m = call->method;
	const char *actor = m->class != CONTROL_READ ? caller_actor(call->caller) : NULL;

	gateway_actor(call->g, actor);
	int rc = functions[m - method_table](call);
	gateway_actor(call->g, NULL);
	if (rc != 0 && call->error.code == 0)
		call->error.code = rpc_code_of(-rc);
	if (actor != NULL && !call->again)
		log_change(call, actor, rc);
}

static void check_and_call(struct call *call, json_t *params)
{
	const struct method *m = call->method;

	if ((m->class & call->caller->rights) == 0) {
		call->error.code = RPC_DENIED;
		call_fault(call, EPERM, "",
			   "%s needs the right \"%s\": be root, the gateway's user or in the "
			   "group of the socket",
			   m->name, class_name(m->class));
		return;
	}
	call->params = named(m, params);
	if (call->params == NULL) {
		call->error.code = RPC_INVALID_PARAMS;
		call_fault(call, EINVAL, "params", "%s has fewer parameters", m->name);
		return;
	}
	if (validate_params(m->params, call->params, &call->error) == 0)
		run(call);
	json_decref(call->params);
}

void dispatch(struct call *call, const json_t *request)
{
	call->method = method_of(request);
	if (call->method == NULL) {
		call->error.code = RPC_METHOD_NOT_FOUND;
		call_fault(call, ENOSYS, "method",
			   "there is no method \"%.64s\"; rpc.discover lists them",
			   json_string_value(json_object_get(request, "method")));
	} else {
		check_and_call(call, json_object_get(request, "params"));
	}
	if (call->error.code == 0 && call->result == NULL && !call->again) {
		call->error.code = RPC_INTERNAL;
		call_fault(call, ENOMEM, "", "no memory for the answer");
	}
}
