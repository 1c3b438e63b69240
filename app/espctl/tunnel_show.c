/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "ctl.h"
#include "show.h"
#include "table.h"

/* The drops of an SA by kind, those that there were. */
static void show_drops(const json_t *sa)
{
	static const char *const kinds[] = {"replay",    "window",    "icv",
					    "malformed", "selector",  "ecn",
					    "too_big",   "exhausted", "expired"};
	const json_t *counters = json_object_get(sa, "counters");

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		json_int_t n = json_integer_value(json_object_get(counters, kinds[i]));
		if (n > 0)
			printf("  0x%08llx dropped %lld: %s\n",
			       (long long)json_integer_value(json_object_get(sa, "spi")),
			       (long long)n, kinds[i]);
	}
}

/* Soft and hard limits that an SA has. */
static void show_lifetimes(const json_t *sa)
{
	const json_t *life = json_object_get(sa, "lifetime");
	const struct member *members =
	    member_find(method_table[METHOD_sa_get].result, "lifetime") != NULL
		? member_find(method_table[METHOD_sa_get].result, "lifetime")->members
		: NULL;
	char text[64];

	for (const struct member *m = members; m != NULL && m->name != NULL; m++) {
		const json_t *value = json_object_get(life, m->name);
		if (json_integer_value(value) > 0)
			printf("  0x%08llx %s %s\n",
			       (long long)json_integer_value(json_object_get(sa, "spi")), m->name,
			       show_value(m, value, text, sizeof(text)));
	}
}

static enum status show_related(const struct ctl *ctl, const char *name)
{
	json_t *params = json_pack("{s:s}", "tunnel", name), *sas, *policies = NULL, *one;
	const struct method *list = &method_table[METHOD_sa_list];
	const struct method *policy_list = &method_table[METHOD_policy_list];
	size_t i;

	enum status status = ctl_call_all(ctl, list, params, &sas);
	if (status == DONE)
		status = ctl_call_all(ctl, policy_list, params, &policies);
	if (status == DONE) {
		const json_t *items = json_object_get(sas, "items");
		printf("\nSAs:\n");
		table_show(stdout, member_find(list->result, "items")->members, items, 2);
		json_array_foreach (items, i, one)
			show_drops(one);
		json_array_foreach (items, i, one)
			show_lifetimes(one);
		items = json_object_get(policies, "items");
		if (json_array_size(items) > 0) {
			printf("\npolicies:\n");
			table_show(stdout, member_find(policy_list->result, "items")->members,
				   items, 2);
		}
	}
	json_decref(params);
	json_decref(sas);
	json_decref(policies);
	return status;
}

enum status tunnel_show_command(const struct ctl *ctl, const char *name)
{
	const struct method *get = &method_table[METHOD_tunnel_get];
	json_t *params = json_pack("{s:s}", "name", name), *tunnel;
	enum status status = ctl_call(ctl, get->name, params, &tunnel);

	json_decref(params);
	if (status != DONE)
		return status;
	if (ctl->o->json) {
		show_json(stdout, tunnel);
	} else {
		show_result(stdout, get->result, tunnel);
		status = show_related(ctl, name);
	}
	json_decref(tunnel);
	return status == DONE ? ctl_flush() : status;
}

static void show_log_line(const json_t *item)
{
	static const struct member any = {.name = "value", .type = MEMBER_STRING};
	char time[64], event[64], text[256];
	const char *name;
	json_t *value;

	printf("%s  %-18s", show_value(&any, json_object_get(item, "time"), time, sizeof(time)),
	       show_value(&any, json_object_get(item, "event"), event, sizeof(event)));
	json_object_foreach ((json_t *)(uintptr_t)item, name, value) {
		if (strcmp(name, "time") == 0 || strcmp(name, "event") == 0)
			continue;
		if (strncmp(name, "spi_", 4) == 0)
			printf("  %s 0x%08llx", name, (long long)json_integer_value(value));
		else
			printf("  %s %s", name, show_value(&any, value, text, sizeof(text)));
	}
	putchar('\n');
}

enum status tunnel_log_command(const struct ctl *ctl, char **words, int count)
{
	const struct method *m = &method_table[METHOD_tunnel_log];
	json_t *params = arguments_read(m, words, count), *result, *item;
	size_t i;

	if (params == NULL)
		return USAGE;
	enum status status = ctl_call(ctl, m->name, params, &result);
	json_decref(params);
	if (status != DONE)
		return status;
	if (ctl->o->json)
		show_json(stdout, result);
	else
		json_array_foreach (json_object_get(result, "items"), i, item)
			show_log_line(item);
	json_decref(result);
	return ctl_flush();
}
