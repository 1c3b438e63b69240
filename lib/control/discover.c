/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "control/call.h"
#include "control/event_table.h"
#include "control/schema.h"
#include "control/state.h"

/* rpc.discover: the tables of methods, events and errors as a document of OpenRPC 1.3. */
#define META_SCHEMA "https://raw.githubusercontent.com/open-rpc/meta-schema/master/schema.json"

static const char about[] =
    "JSON-RPC 2.0 on a Unix stream socket, one request or one batch a line. Every request is "
    "checked in full before anything changes. `x-class` of a method is the right that it needs. "
    "`x-events` are what events.subscribe delivers, as notifications with the method `event`.";

static const struct {
	const char *name;
	enum rpc_code code;
	const char *meaning;
} errors[] = {
#define X(id, code, meaning) {#id, RPC_##id, meaning},
    ERRORS(X)
#undef X
};

static json_t *params_view(const struct member *params)
{
	json_t *list = json_array();

	for (const struct member *m = params; m->name != NULL; m++)
		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:b, s:o}", "name", m->name, "summary",
						m->help, "required", (int)m->required, "schema",
						member_schema(m, true)));
	return list;
}

static json_t *result_view(const struct method *m)
{
	if (m == &method_table[METHOD_rpc_discover])
		return json_pack("{s:s, s:{s:s}}", "name", "OpenRPC Schema", "schema", "$ref",
				 META_SCHEMA);
	return json_pack("{s:s, s:o}", "name", "result", "schema", object_schema(m->result, false));
}

/* Errors of one's own only: the reserved ones may always come. */
static json_t *errors_of(const struct method *m)
{
	json_t *list = json_array();

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		if (errors[i].code < 0 ||
		    (m->class == CONTROL_READ &&
		     (errors[i].code == RPC_EXISTS || errors[i].code == RPC_BUSY)))
			continue;
		json_array_append_new(
		    list, json_pack("{s:o}", "$ref",
				    json_sprintf("#/components/errors/%s", errors[i].name)));
	}
	return list;
}

static json_t *example_of(const struct method *m)
{
	json_t *given = json_loads(m->example, 0, NULL), *params = json_array();

	for (const struct member *p = m->params; p->name != NULL; p++) {
		json_t *value = json_object_get(given, p->name);
		if (value != NULL)
			json_array_append_new(
			    params, json_pack("{s:s, s:O}", "name", p->name, "value", value));
	}
	json_decref(given);
	return json_pack("{s:s, s:o}", "name", m->name, "params", params);
}

static json_t *method_view(const struct method *m)
{
	return json_pack("{s:s, s:s, s:[{s:s%}], s:s, s:s, s:o, s:o, s:o, s:[o]}", "name", m->name,
			 "summary", m->summary, "tags", "name", m->name, strcspn(m->name, "."),
			 "paramStructure", "either", "x-class", class_name(m->class), "params",
			 params_view(m->params), "result", result_view(m), "errors", errors_of(m),
			 "examples", example_of(m));
}

static json_t *event_schema(const struct event_type *e)
{
	json_t *schema = object_schema(event_common, false);
	json_t *more = object_schema(e->members, false);
	json_t *properties = json_object_get(schema, "properties");

	json_object_update(properties, json_object_get(more, "properties"));
	json_object_set_new(json_object_get(properties, "event"), "enum",
			    json_pack("[s]", e->name));
	json_decref(more);
	return schema;
}

static json_t *events_view(void)
{
	json_t *list = json_array();

	for (size_t i = 0; i < EVENT_COUNT; i++)
		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:o}", "name", event_table[i].name,
						"summary", event_table[i].summary, "schema",
						event_schema(&event_table[i])));
	return list;
}

static json_t *components_view(void)
{
	json_t *list = json_object();

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		json_object_set_new(
		    list, errors[i].name,
		    json_pack("{s:i, s:s}", "code", errors[i].code, "message", errors[i].meaning));
	json_t *data = json_pack(
	    "{s:s, s:s, s:{s:{s:s, s:s}, s:{s:s, s:s}, s:{s:s, s:s}, s:{s:s, s:s}}}", "type",
	    "object", "description", "`data` of an error", "properties", "reason", "type", "string",
	    "description", "name of an errno", "field", "type", "string", "description",
	    "path of the parameter", "value", "type", "string", "description", "its value, as JSON",
	    "limit", "type", "string", "description", "what is allowed");
	return json_pack("{s:o, s:{s:o}}", "errors", list, "schemas", "ErrorData", data);
}

/* RFC 3986 2.3: what is not unreserved is escaped. */
static json_t *server_url(const char *path)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~/";
	char url[512] = "unix:";

	for (size_t at = strlen(url); *path != '\0' && at + 4 < sizeof(url); path++)
		at += (size_t)snprintf(url + at, sizeof(url) - at,
				       strchr(plain, *path) != NULL ? "%c" : "%%%02X",
				       (unsigned char)*path);
	return json_string(url);
}

int call_rpc_discover(struct call *call)
{
	const char *path = call->control->config.path;
	json_t *methods = json_array();

	for (size_t i = 0; i < METHOD_COUNT; i++)
		json_array_append_new(methods, method_view(&method_table[i]));
	call->result = json_pack(
	    "{s:s, s:{s:s, s:s, s:s, s:{s:s}}, s:[{s:s, s:o}], s:o, s:o, s:o}", "openrpc", "1.3.2",
	    "info", "title", "espalier control socket", "version", ESPALIER_VERSION, "description",
	    about, "license", "name", "BSD-3-Clause", "servers", "name", "socket", "url",
	    server_url(path != NULL ? path : "/run/espalier/control.sock"), "methods", methods,
	    "components", components_view(), "x-events", events_view());
	return 0;
}
