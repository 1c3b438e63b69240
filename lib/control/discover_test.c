/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/testbed.h"

#include <stdlib.h>
#include <string.h>

#include "control/event_table.h"
#include "control/table.h"

/* What OpenRPC 1.3 asks of a document, and that it says of this socket what is so. */

static json_t *document(void)
{
	return result_of("rpc.discover", "{}");
}

/* Only the members that the specification names, or "x-…"; `required` of them first. */
static void expect_members(const json_t *object, int required, const char *const names[])
{
	const char *name;
	json_t *value;

	for (int i = 0; i < required; i++)
		assert_non_null(json_object_get(object, names[i]));
	json_object_foreach ((json_t *)(uintptr_t)object, name, value) {
		bool known = strncmp(name, "x-", 2) == 0;
		for (int i = 0; names[i] != NULL && !known; i++)
			known = strcmp(names[i], name) == 0;
		if (!known)
			fail_msg("OpenRPC has no member \"%s\" here", name);
	}
}

static void its_objects_have_their_members(void **state)
{
	(void)state;
	static const char *const root[] = {"openrpc", "info",       "methods",
					   "servers", "components", NULL};
	static const char *const info[] = {"title", "version", "description", "license", NULL};
	static const char *const server[] = {"url", "name", NULL};
	static const char *const error[] = {"code", "message", "data", NULL};
	static const char *const method[] = {"name",     "params",         "result",
					     "summary",  "tags",           "errors",
					     "examples", "paramStructure", NULL};
	static const char *const param[] = {"name", "schema", "summary", "required", NULL};
	static const char *const example[] = {"name", "params", NULL};
	json_t *doc = document(), *one, *inner;
	const char *name;
	size_t i, n;

	expect_members(doc, 3, root);
	assert_string_equal(text_at(doc, "openrpc"), "1.3.2");
	expect_members(at(doc, "info"), 2, info);
	expect_members(at(doc, "servers.0"), 2, server);
	json_object_foreach (at(doc, "components.errors"), name, one)
		expect_members(one, 2, error);
	json_array_foreach (at(doc, "methods"), i, one) {
		expect_members(one, 2, method);
		json_array_foreach (at(one, "params"), n, inner)
			expect_members(inner, 2, param);
		json_array_foreach (at(one, "examples"), n, inner)
			expect_members(inner, 2, example);
		expect_members(at(one, "result"), 2, param);
	}
	json_decref(doc);
}

/* "Optional params MUST be positioned after all required params"; names are unique. */
static void parameters_are_in_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < METHOD_COUNT; i++) {
		const struct member *params = method_table[i].params;
		for (const struct member *m = params; m->name != NULL; m++) {
			if (m->required && m > params && !m[-1].required)
				fail_msg("%s: %s is required and stands behind one that is not",
					 method_table[i].name, m->name);
			assert_ptr_equal(member_find(params, m->name), m);
		}
		assert_ptr_equal(method_find(method_table[i].name), &method_table[i]);
	}
}

static void errors_are_those_of_the_components(void **state)
{
	(void)state;
	json_t *doc = document(), *method, *error;
	size_t i, n;

	assert_int_equal(number_at(doc, "components.errors.INVALID_PARAMS.code"), -32602);
	assert_int_equal(number_at(doc, "components.errors.NOT_FOUND.code"), 2);
	json_array_foreach (at(doc, "methods"), i, method) {
		assert_true(json_array_size(at(method, "errors")) > 0);
		json_array_foreach (at(method, "errors"), n, error) {
			static const char prefix[] = "#/components/errors/";
			const char *ref = text_at(error, "$ref");
			assert_memory_equal(ref, prefix, sizeof(prefix) - 1);
			assert_non_null(json_object_get(at(doc, "components.errors"),
							ref + sizeof(prefix) - 1));
		}
	}
	json_decref(doc);
}

static void every_method_and_event_is_there(void **state)
{
	(void)state;
	json_t *doc = document();

	assert_int_equal(json_array_size(at(doc, "methods")), METHOD_COUNT);
	for (size_t i = 0; i < METHOD_COUNT; i++) {
		const json_t *m = json_array_get(at(doc, "methods"), i);
		json_t *example = json_loads(method_table[i].example, 0, NULL);
		assert_string_equal(text_at(m, "name"), method_table[i].name);
		/* Nothing of the example is lost. */
		assert_int_equal(json_array_size(at(m, "examples.0.params")),
				 json_object_size(example));
		json_decref(example);
	}
	assert_int_equal(json_array_size(at(doc, "x-events")), EVENT_COUNT);
	for (size_t i = 0; i < EVENT_COUNT; i++) {
		const json_t *e = json_array_get(at(doc, "x-events"), i);
		assert_string_equal(text_at(e, "name"), event_table[i].name);
		assert_string_equal(text_at(e, "schema.properties.event.enum.0"),
				    event_table[i].name);
		assert_non_null(at(e, "schema.properties.seq"));
	}
	json_decref(doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    with_gateway(its_objects_have_their_members),
	    with_gateway(parameters_are_in_order),
	    with_gateway(errors_are_those_of_the_components),
	    with_gateway(every_method_and_event_is_there),
	};

	if (testbed_eal() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
