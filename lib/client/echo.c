/* SPDX-License-Identifier: BSD-3-Clause */
#include "client/echo.h"

static json_t *number(json_int_t n)
{
	return json_pack("{s:I}", "n", n);
}

int echo(struct espalier *e, json_int_t n, int timeout_ms, struct espalier_error *error)
{
	json_t *params = number(n), *result;
	int rc = espalier_call(e, "echo", params, timeout_ms, &result, error);

	json_decref(params);
	if (rc == 0 && (!json_is_integer(result) || json_integer_value(result) != n))
		rc = ECHO_WRONG;
	json_decref(result);
	return rc;
}

bool answer_echo(struct fake_connection *c, const json_t *request)
{
	return fake_answer(c, request, json_integer(fake_number(request, "n")));
}

void serve_echo(struct fake_connection *c)
{
	json_t *request;

	while ((request = fake_request(c)) != NULL) {
		answer_echo(c, request);
		json_decref(request);
	}
}

void *call_once(void *arg)
{
	struct caller *c = arg;
	struct espalier_error error;

	c->wrong = echo(c->e, c->base, SOON, &error);
	return NULL;
}
