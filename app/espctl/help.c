/* SPDX-License-Identifier: BSD-3-Clause */
#include <jansson.h>
#include <string.h>

#include "control/describe.h"
#include "help.h"

static void print_command(FILE *out, const struct method *m, int width)
{
	int object = (int)strcspn(m->name, ".");
	const char *verb = m->name[object] == '.' ? m->name + object + 1 : "";

	if (width == 0 && verb[0] == '\0')
		fprintf(out, "%s", m->name);
	else
		fprintf(out, "%.*s %-*s", object, m->name, width, verb);
}

void help_object(FILE *out, const char *object)
{
	for (size_t i = 0; i < METHOD_COUNT; i++) {
		const struct method *m = &method_table[i];
		size_t len = strcspn(m->name, ".");
		if (object != NULL && (strlen(object) != len || strncmp(object, m->name, len) != 0))
			continue;
		fputs("  ", out);
		print_command(out, m, 18 - (int)len);
		fprintf(out, "  %s\n", m->summary);
	}
}

void help_all(FILE *out)
{
	fputs("Usage: espctl [OPTIONS] OBJECT [VERB] [NAME=VALUE …]\n"
	      "       espctl [OPTIONS] call METHOD [JSON | - | NAME=VALUE …]\n"
	      "\n"
	      "Talks to a running espalierd. Values alone stand for the parameters in their\n"
	      "order; OBJECT alone lists or shows. \"-\" reads parameters from standard input,\n"
	      "key=@FILE a key from a file, so that keys need not stand in a command line.\n"
	      "\n"
	      "Options:\n"
	      "  --socket PATH      the gateway's control socket; else $ESPALIER_SOCKET, else\n"
	      "                     /run/espalier/control.sock\n"
	      "  --json             print the result as JSON; events one object a line\n"
	      "  --watch[=SECONDS]  repeat every so many seconds (2) until Ctrl-C\n"
	      "  --frames N         with --watch and top: end after N repetitions\n"
	      "  --colour WHEN      auto (on a terminal, without NO_COLOR), always or never\n"
	      "  --timeout SECONDS  how long to wait for an answer (30)\n"
	      "  --help             this, or after OBJECT and VERB what they take\n"
	      "  --version\n"
	      "\n"
	      "Commands:\n",
	      out);
	help_object(out, NULL);
	fputs("  events [NAME …]      follow what happens, a line an event (events.subscribe)\n"
	      "  top                  live rates of tunnels, load of workers, drops; q ends it\n"
	      "  tunnel NAME          one tunnel with its SAs, drops and policies\n"
	      "  info, counters, drops  short for gateway info, counters get, drops get\n"
	      "\n"
	      "Exit status: 0 done, 1 refused by the gateway (explain: dropped), 2 wrong usage,\n"
	      "3 no connection or no answer.\n"
	      "\n"
	      "Examples:\n"
	      "  espctl tunnel list\n"
	      "  espctl tunnel add paris local=198.51.100.1 remote=192.0.2.1\n"
	      "  espctl sa add in 0x1000 paris key=@paris.key replay_window=2048\n"
	      "  espctl policy add branch protect tunnel=paris selector.remote=10.2.0.0/16\n"
	      "  espctl --json sa list tunnel=paris | jq '.items[].counters'\n"
	      "  espctl drops zeros=no --watch\n"
	      "  espctl explain 10.1.0.5 10.2.0.9 tcp 443\n"
	      "  espctl tunnel log paris\n"
	      "  espctl events tunnel.state sa.hard --json\n",
	      out);
}

static void print_members(FILE *out, const struct member *members, const char *prefix)
{
	char allowed[DESCRIBE_MAX];

	for (const struct member *m = members; m->name != NULL; m++) {
		fprintf(out, "  %s%s: %s%s", prefix, m->name,
			member_describe(m, allowed, sizeof(allowed)),
			m->required ? ", required" : "");
		if (m->initial != NULL)
			fprintf(out, ", default %s", m->initial);
		fprintf(out, "\n      %s\n", m->help);
		if (m->members != NULL) {
			char inner[64];
			snprintf(inner, sizeof(inner), "%s%s.%s", prefix, m->name,
				 m->type == MEMBER_ARRAY ? "0." : "");
			print_members(out, m->members, inner);
		}
	}
}

static void print_word(FILE *out, const char *prefix, const char *name, const json_t *value)
{
	const char *key;
	json_t *inner;

	if (json_is_object(value)) {
		char path[64];
		snprintf(path, sizeof(path), "%s%s.", prefix, name);
		json_object_foreach ((json_t *)(uintptr_t)value, key, inner)
			print_word(out, path, key, inner);
	} else if (strcmp(name, "key") == 0) {
		fprintf(out, " %s%s=@FILE", prefix, name);
	} else if (json_is_string(value)) {
		fprintf(out, " %s%s=%s", prefix, name, json_string_value(value));
	} else if (json_is_integer(value)) {
		fprintf(out, " %s%s=%" JSON_INTEGER_FORMAT, prefix, name,
			json_integer_value(value));
	} else {
		fprintf(out, " %s%s=%s", prefix, name, json_is_true(value) ? "yes" : "no");
	}
}

void help_method(FILE *out, const struct method *method)
{
	json_t *example = json_loads(method->example, 0, NULL);
	const char *name;
	json_t *value;

	fputs("Usage: espctl ", out);
	print_command(out, method, 0);
	fprintf(out, " [NAME=VALUE …]\n\n%s\n", method->summary);
	if (method->class != CONTROL_READ)
		fprintf(out, "Needs the right \"%s\".\n", class_name(method->class));
	if (method->params[0].name != NULL) {
		fputs("\nParameters, in the order of values without a name:\n", out);
		print_members(out, method->params, "");
	}
	fputs("\nExample:\n  espctl ", out);
	print_command(out, method, 0);
	json_object_foreach (example, name, value)
		print_word(out, "", name, value);
	fputc('\n', out);
	json_decref(example);
}
