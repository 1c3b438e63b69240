/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/testbed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <rte_common.h>
#include <rte_eal.h>
#include <rte_mbuf.h>

#include "gateway/provision.h"
#include "rcu/rcu.h"

struct testbed testbed;

int testbed_eal(void)
{
	char prefix[64];

	snprintf(prefix, sizeof(prefix), "--file-prefix=control-test-%d", (int)getpid());
	char *eal[] = {"t",           "--no-huge",      "--no-pci", "-m", "256",
		       "--no-shconf", "--no-telemetry", "-l",       "0",  "--log-level=error",
		       prefix};
	return rte_eal_init(RTE_DIM(eal), eal) < 0 || rcu_init(1) != 0 ? -1 : 0;
}

static int add_tunnel(const char *name, const char *remote)
{
	struct tunnel_spec spec = {.keepalive = 20};

	snprintf(spec.name, sizeof(spec.name), "%s", name);
	snprintf(spec.device, sizeof(spec.device), "%.15s", name);
	ip_addr_parse("198.51.100.1", &spec.local);
	ip_addr_parse(remote, &spec.remote);
	return gateway_tunnel_add(&testbed.g, &spec, NULL, NULL);
}

int testbed_setup(void **state)
{
	return testbed_setup_sized(state, 5000, 64);
}

int testbed_setup_sized(void **state, uint32_t sas, uint32_t tunnels)
{
	(void)state;
	const struct sadb_config sadb = {.sas_max = sas, .tunnels_max = tunnels, .workers = 1};
	const struct control_config config = {
	    .config_file = "/etc/espalier.yaml", .sas_max = sas, .tunnels_max = tunnels};
	struct fault fault = {0};
	struct gateway *g = &testbed.g;

	*g = (struct gateway){.policy_device = HOST_NONE};
	g->pool = rte_pktmbuf_pool_create("control", 63, 0, 64, 2176, SOCKET_ID_ANY);
	g->sadb = sadb_create(&sadb, &fault);
	g->spd = spd_create(&fault);
	g->fib = fib_create(&(struct fib_limits){1024, 1024}, &fault);
	if (g->pool == NULL || g->sadb == NULL || g->spd == NULL || g->fib == NULL ||
	    add_tunnel("paris", "192.0.2.1") != 0 || add_tunnel("rome", "192.0.2.2") != 0)
		return -1;
	testbed.control = control_start(NULL, g, &config, &fault);
	return testbed.control != NULL ? 0 : -1;
}

int testbed_teardown(void **state)
{
	(void)state;
	control_stop(testbed.control);
	gateway_provision_stop(&testbed.g);
	spd_destroy(testbed.g.spd);
	sadb_destroy(testbed.g.sadb);
	fib_destroy(testbed.g.fib);
	rte_mempool_free(testbed.g.pool);
	return 0;
}

char *ask_text(unsigned int rights, const char *line, size_t len)
{
	char *answer;
	size_t n = control_handle_line(testbed.control, rights, line, len, &answer);

	if (n == 0) {
		assert_null(answer);
		return NULL;
	}
	/* One line, and nothing behind it. */
	assert_int_equal(answer[n - 1], '\n');
	assert_null(memchr(answer, '\n', n - 1));
	answer[n - 1] = '\0';
	assert_int_equal(strlen(answer), n - 1);
	return answer;
}

json_t *ask(const char *line)
{
	char *text = ask_text(CONTROL_ALL, line, strlen(line));
	json_error_t wrong;

	if (text == NULL)
		return NULL;
	json_t *answer = json_loads(text, 0, &wrong);
	if (answer == NULL)
		fail_msg("the answer is no JSON: %s: %s", wrong.text, text);
	free(text);
	return answer;
}

static json_t *part_of(const char *method, const char *params, const char *part)
{
	char *line;

	assert_true(asprintf(&line,
			     "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"%s\",\"params\":%s}",
			     method, params) > 0);
	json_t *answer = ask(line);
	assert_int_equal(number_at(answer, "id"), 7);
	assert_string_equal(text_at(answer, "jsonrpc"), "2.0");
	assert_int_equal(json_object_size(answer), 3);
	json_t *value = json_incref(json_object_get(answer, part));
	if (value == NULL)
		fail_msg("%s has no %s: %s", line, part, json_dumps(answer, 0));
	json_decref(answer);
	free(line);
	return value;
}

json_t *result_of(const char *method, const char *params)
{
	return part_of(method, params, "result");
}

json_t *error_of(const char *method, const char *params)
{
	json_t *error = part_of(method, params, "error");

	assert_true(json_is_integer(at(error, "code")));
	assert_true(strlen(text_at(error, "message")) > 0);
	return error;
}

int code_of(const char *method, const char *params, const char *field)
{
	json_t *error = error_of(method, params);
	int code = (int)number_at(error, "code");
	const char *given = text_at(error, "data.field");

	if (field != NULL && (given == NULL || strcmp(given, field) != 0))
		fail_msg("%s %s names the field %s, not %s", method, params, given, field);
	json_decref(error);
	return code;
}

json_t *at(const json_t *value, const char *path)
{
	char name[64];

	while (value != NULL && *path != '\0') {
		size_t len = strcspn(path, ".");
		snprintf(name, sizeof(name), "%.*s", (int)len, path);
		value = json_is_array(value) ? json_array_get(value, (size_t)atoi(name))
					     : json_object_get(value, name);
		path += len + (path[len] == '.');
	}
	return (json_t *)(uintptr_t)value;
}

void done(const char *method, const char *params)
{
	json_decref(result_of(method, params));
}

bool flag_of(const char *method, const char *params, const char *name)
{
	json_t *result = result_of(method, params);
	const json_t *value = at(result, name);

	assert_true(json_is_boolean(value));
	bool flag = json_is_true(value);
	json_decref(result);
	return flag;
}

json_int_t count_of(const char *method, const char *params, const char *name)
{
	json_t *result = result_of(method, params);
	json_int_t n = number_at(result, name);

	json_decref(result);
	return n;
}
