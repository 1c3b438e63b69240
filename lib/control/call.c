/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <rte_cycles.h>

#include "control/call.h"

bool call_has(const struct call *call, const char *name)
{
	return json_object_get(call->params, name) != NULL;
}

static const char *initial(const struct call *call, const char *name)
{
	const struct member *m = member_find(call->method->params, name);

	return m != NULL ? m->initial : NULL;
}

int64_t call_integer(const struct call *call, const char *name)
{
	const json_t *given = json_object_get(call->params, name);

	if (given != NULL)
		return json_integer_value(given);
	const char *text = initial(call, name);
	return text != NULL ? strtoll(text, NULL, 10) : 0;
}

bool call_boolean(const struct call *call, const char *name)
{
	const json_t *given = json_object_get(call->params, name);

	if (given != NULL)
		return json_is_true(given);
	const char *text = initial(call, name);
	return text != NULL && strcmp(text, "true") == 0;
}

const char *call_text(const struct call *call, const char *name)
{
	const json_t *given = json_object_get(call->params, name);

	return given != NULL ? json_string_value(given) : initial(call, name);
}

struct ip_addr call_address(const struct call *call, const char *name)
{
	struct ip_addr addr = {0};
	const char *text = call_text(call, name);

	if (text != NULL && ip_addr_parse(text, &addr) != 0)
		addr.family = 0;
	return addr;
}

struct tunnel *call_tunnel(struct call *call, const char *name)
{
	const char *text = call_text(call, name);
	struct tunnel *t = text != NULL ? tunnel_find(call->g->sadb, text) : NULL;

	if (t == NULL)
		call_fault(call, ENOENT, name, "there is no tunnel \"%s\"", text);
	return t;
}

int64_t call_seconds_since(uint64_t tsc)
{
	uint64_t now = rte_rdtsc();

	return now > tsc ? (int64_t)((now - tsc) / rte_get_tsc_hz()) : 0;
}

int64_t call_monotonic_ms(uint64_t tsc)
{
	uint64_t now = rte_rdtsc(), hz = rte_get_tsc_hz();
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	uint64_t ago = now > tsc ? (uint64_t)((unsigned __int128)(now - tsc) * 1000 / hz) : 0;
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 - (int64_t)ago;
}
