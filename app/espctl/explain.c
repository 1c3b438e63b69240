/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "ctl.h"
#include "show.h"

/* The fourth word of "explain SRC DST PROTO PORT" is the port at the destination. */
static json_t *read_packet(char **words, int count)
{
	char port[64], *named[16];

	for (int i = 0; i < count && i < 16; i++)
		named[i] = words[i];
	if (count >= 4 && count <= 16 && strchr(words[3], '=') == NULL) {
		snprintf(port, sizeof(port), "destination_port=%s", words[3]);
		named[3] = port;
	}
	return arguments_read(&method_table[METHOD_explain], count <= 16 ? named : words, count);
}

static void line(const char *name, const char *text)
{
	printf("%-12s %s\n", name, text);
}

static const char *text_of(const json_t *object, const char *name, const char *absent)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL ? text : absent;
}

static void show_hop(const char *name, const json_t *hop)
{
	char text[256] = "";

	if (hop == NULL)
		return;
	if (json_object_get(hop, "port") != NULL)
		snprintf(text, sizeof(text), "port %s, ", text_of(hop, "port", ""));
	if (json_object_get(hop, "gateway") != NULL)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "via %s, ",
			 text_of(hop, "gateway", ""));
	snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s",
		 text_of(hop, "state", "unknown"));
	line(name, text);
}

static void show(const json_t *r)
{
	const json_t *sa = json_object_get(r, "sa");
	char text[256], fate[64];

	snprintf(text, sizeof(text), "%s%s%s%s",
		 show_coloured("fate", text_of(r, "fate", "?"), fate, sizeof(fate)),
		 json_object_get(r, "drop") != NULL ? " (" : "", text_of(r, "drop", ""),
		 json_object_get(r, "drop") != NULL ? ")" : "");
	line("fate", text);
	line("why", text_of(r, "why", ""));
	line("policy", text_of(r, "policy", "none matches"));
	if (json_object_get(r, "tunnel") != NULL) {
		snprintf(text, sizeof(text), "%s (by %s)", text_of(r, "tunnel", ""),
			 json_is_true(json_object_get(r, "by_route")) ? "route" : "policy");
		line("tunnel", text);
	}
	if (sa != NULL) {
		snprintf(text, sizeof(text), "SPI 0x%08llx, %s to %s%s",
			 (long long)json_integer_value(json_object_get(sa, "spi")),
			 text_of(sa, "local", "?"), text_of(sa, "remote", "?"),
			 json_is_true(json_object_get(sa, "udp")) ? ", in UDP" : "");
		line("SA", text);
	}
	show_hop("route", json_object_get(r, "route"));
	show_hop("outer route", json_object_get(r, "outer"));
	if (json_object_get(r, "mtu") != NULL) {
		snprintf(text, sizeof(text), "%lld bytes",
			 (long long)json_integer_value(json_object_get(r, "mtu")));
		line("MTU", text);
	}
}

enum status explain_command(const struct ctl *ctl, char **words, int count)
{
	json_t *params = read_packet(words, count), *result;

	if (params == NULL)
		return USAGE;
	enum status status = ctl_call(ctl, "explain", params, &result);
	json_decref(params);
	if (status != DONE)
		return status;
	if (ctl->o->json)
		show_json(stdout, result);
	else
		show(result);
	bool dropped = strcmp(text_of(result, "fate", ""), "drop") == 0;
	json_decref(result);
	status = ctl_flush();
	return status == DONE && dropped ? REFUSED : status;
}
