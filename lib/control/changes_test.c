/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/testbed.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gateway/provision.h"

/* Policy changes whose commit fails: undone, and answered with the error. */

static unsigned int commits, failures;

int __real_gateway_commit(struct gateway *g, struct fault *fault);
int __wrap_gateway_commit(struct gateway *g, struct fault *fault);

int __wrap_gateway_commit(struct gateway *g, struct fault *fault)
{
	commits++;
	if (failures > 0) {
		failures--;
		return fault_set(fault, ENOMEM, "", "no memory for the lookup");
	}
	return __real_gateway_commit(g, fault);
}

#define TEN "\"selector\":{\"remote\":\"10.0.0.0/8\"}"
#define REQUEST(id, method, params) \
	"{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"method\":\"" method "\",\"params\":" params "}"

static const char *order_of_policies(void)
{
	static char text[128];
	json_t *list = result_of("policy.list", "{}"), *item;
	size_t i;

	text[0] = '\0';
	json_array_foreach (at(list, "items"), i, item) {
		strncat(text, text_at(item, "name"), 8);
		strncat(text, " ", 2);
	}
	json_decref(list);
	return text;
}

static void add_two(void)
{
	done("policy.add", "{\"name\":\"one\",\"action\":\"discard\",\"priority\":1," TEN "}");
	done("policy.add", "{\"name\":\"two\",\"action\":\"protect\",\"tunnel\":\"paris\","
			   "\"priority\":2," TEN "}");
}

static void a_line_has_one_commit(void **state)
{
	(void)state;
	add_two();
	commits = 0;
	json_t *answer = ask("[" REQUEST(1, "policy.delete", "[\"one\"]") "," REQUEST(
	    2, "policy.delete", "[\"two\"]") "," REQUEST(3, "gateway.info", "{}") "]");
	assert_int_equal(json_array_size(answer), 3);
	assert_int_equal(commits, 1);
	json_decref(answer);
	json_decref(ask(REQUEST(1, "policy.list", "{}")));
	assert_int_equal(commits, 1);
}

static void a_failed_commit_undoes_the_line(void **state)
{
	(void)state;
	add_two();
	commits = 0;
	failures = 1;
	json_t *answer = ask("[" REQUEST(
	    1, "policy.add",
	    "{\"name\":\"three\",\"action\":\"bypass\"," TEN
	    "}") "," REQUEST(2, "policy.delete",
			     "[\"one\"]") "," REQUEST(3, "gateway.info",
						      "{}") "," REQUEST(4, "policy.add",
									"{\"name\":\"one\","
									"\"action\":\"bypass\"," TEN
									"}") "," REQUEST(5,
											 "policy."
											 "flush",
											 "{}") "]");
	static const bool refused[] = {true, true, false, true, true};

	for (size_t i = 0; i < 5; i++) {
		const json_t *one = json_array_get(answer, i);
		assert_int_equal(number_at(one, "id"), i + 1);
		assert_int_equal(at(one, "error") != NULL, refused[i]);
		if (refused[i])
			assert_int_equal(number_at(one, "error.code"), 4);
	}
	json_decref(answer);
	assert_int_equal(commits, 2);
	assert_string_equal(order_of_policies(), "one two ");
	/* As before in every respect: the tunnel is still named, the names are still in use. */
	assert_int_equal(code_of("tunnel.delete", "[\"paris\"]", "name"), 5);
	assert_int_equal(
	    code_of("policy.add", "{\"name\":\"one\",\"action\":\"discard\"," TEN "}", NULL), 3);
}

/* tunnel.delete needs what was before it to be in effect, and does not run without. */
static void a_tunnel_waits_for_its_policies(void **state)
{
	(void)state;
	add_two();
	commits = 0;
	json_t *answer = ask("[" REQUEST(1, "policy.delete", "[\"two\"]") "," REQUEST(
	    2, "tunnel.delete", "[\"paris\"]") "," REQUEST(3, "policy.delete", "[\"one\"]") "]");
	assert_non_null(at(answer, "0.result"));
	assert_non_null(at(answer, "1.result"));
	assert_non_null(at(answer, "2.result"));
	assert_int_equal(commits, 2);
	json_decref(answer);
}

static void a_tunnel_stays_where_its_policies_stay(void **state)
{
	(void)state;
	add_two();
	failures = 1;
	json_t *answer = ask("[" REQUEST(1, "policy.delete", "[\"two\"]") "," REQUEST(
	    2, "tunnel.delete", "[\"paris\"]") "," REQUEST(3, "policy.delete", "[\"one\"]") "]");
	assert_int_equal(number_at(answer, "0.error.code"), 4);
	assert_int_equal(number_at(answer, "1.error.code"), 5);
	assert_non_null(at(answer, "2.result"));
	json_decref(answer);
	assert_string_equal(order_of_policies(), "two ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    with_gateway(a_line_has_one_commit),
	    with_gateway(a_failed_commit_undoes_the_line),
	    with_gateway(a_tunnel_waits_for_its_policies),
	    with_gateway(a_tunnel_stays_where_its_policies_stay),
	};

	if (testbed_eal() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
