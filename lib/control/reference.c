/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "control/describe.h"
#include "control/error_table.h"
#include "control/event_table.h"

/*
 * Prints docs/control.md from the table of methods. With an argument: compares
 * with that file instead and ends with status 1 where they differ.
 */
static const char introduction[] =
    "# Control socket\n"
    "\n"
    "Made from the table of methods in `lib/control`; do not edit. `espctl` has the same\n"
    "methods as commands (`sa.add` is `espctl sa add`), `rpc.discover` returns them as an\n"
    "[OpenRPC](https://spec.open-rpc.org) 1.3 document.\n"
    "\n"
    "The gateway listens on a Unix stream socket, `/run/espalier/control.sock` unless\n"
    "configured otherwise. It speaks [JSON-RPC 2.0](https://www.jsonrpc.org/specification):\n"
    "one request object, or one batch array, a line.\n"
    "\n"
    "```sh\n"
    "echo '{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"gateway.info\"}' |\n"
    "\tsocat -t 5 - UNIX-CONNECT:/run/espalier/control.sock\n"
    "```\n"
    "\n"
    "- Parameters go by name, or by position in the order of the tables below. A request is\n"
    "  checked in full before anything changes; unknown members are refused, and a request\n"
    "  that is refused has changed nothing.\n"
    "- A batch is served in order, and one that fails does not stop the next. Policy changes\n"
    "  take effect together at its end (where a batch takes longer than 50 ms, in pieces). Where\n"
    "  that fails, all of them are undone and answered with the error.\n"
    "- `sa.add_many` installs thousands of SAs at once, all or none, several times as fast as a\n"
    "  batch of `sa.add`.\n"
    "- Lists come in pages: as long as the result has `next`, ask again with `after` set to it.\n"
    "- Limits: a line of 1 MiB, 1,024 requests in a batch, JSON 16 levels deep, 8 MiB of answers\n"
    "  to one batch (the rest of it is refused), 1,024 clients, 64 MiB of unfinished lines of\n"
    "  all clients. Requests may be sent ahead of the answers: about 1 MiB of them is read from\n"
    "  a client before those before them are served.\n"
    "- A client that leaves 256 KiB unread is not served further. One that reads nothing for 30\n"
    "  seconds, or for a second while 1,024 events wait for it, is cut off, and told why: what\n"
    "  waits to be sent is dropped, and in its place comes an error with id null and code -32002.\n"
    "  No client makes the datapath, the gateway or another client wait.\n"
    "- Keys appear in no answer, no error and no log line, and are wiped from memory once used.\n"
    "\n"
    "## Rights\n"
    "\n"
    "The mode and group of the socket file say who can connect. Of those, root, the gateway's\n"
    "own user and members of the file's group may call everything; anybody else, where the mode\n"
    "lets them in, only what needs the right `read`. `change` and `keys` name the methods that\n"
    "change the gateway and those that take key material.\n"
    "\n"
    "## Errors\n"
    "\n"
    "`error.message` is a sentence for people. `error.data` has `reason`, the name of an errno,\n"
    "and where they are known `field` (the path of the parameter), `value` and `limit` (what is\n"
    "allowed). The codes are stable:\n"
    "\n"
    "| code | meaning |\n"
    "|---|---|\n";

static const char about_sessions[] =
    "\n## Sessions\n"
    "\n"
    "A client that may crash, an IKE daemon above all, says its name with `session.open`. What it\n"
    "installs from then on belongs to its session. When its last connection ends, everything\n"
    "stays and carries traffic; what it reserved with `spi.alloc` stays reserved. When it comes\n"
    "back under its name, what it had installed is marked:\n"
    "\n"
    "1. it opens its session again, and is told how much is marked;\n"
    "2. it confirms what it knows: adds it again with `exist_ok`, or moves it with `sa.update`;\n"
    "3. `session.sweep` deletes the rest, policies first.\n"
    "\n"
    "A session with a `grace` whose client stays away for so many seconds is swept as a whole. A\n"
    "sweep deletes nothing that another session or nobody owns: not a tunnel that others' SAs\n"
    "or policies need. Whoever confirms something last owns it, except that what the\n"
    "configuration or a nameless client installed stays nobody's. Only the user who opened a\n"
    "session, or root, may open or sweep it. The SPIs that a nameless client reserved are given\n"
    "back when it goes.\n";

static const char about_events[] =
    "\n## Events\n"
    "\n"
    "`events.subscribe` asks for them. Each is a notification, a line of its own between answers:\n"
    "\n"
    "```json\n"
    "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"event\":\"port.link\",\"seq\":1,"
    "\"time\":\"2026-11-21T03:04:05.678Z\",\"port\":\"wan\",\"up\":true}}\n"
    "```\n"
    "\n"
    "| member of every event | value | meaning |\n"
    "|---|---|---|\n";

/* A cell of a table: "|" would end it. */
static void print_cell(FILE *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '|')
			fputc('\\', out);
		fputc(*text, out);
	}
}

static void print_params(FILE *out, const struct member *members, const char *prefix)
{
	char text[DESCRIBE_MAX], inner[64];

	for (const struct member *m = members; m->name != NULL; m++) {
		fprintf(out, "| `%s%s` | ", prefix, m->name);
		print_cell(out, member_describe(m, text, sizeof(text)));
		fprintf(out, " | %s%s%s | ", m->initial != NULL ? "`" : "",
			m->required          ? "required"
			: m->initial != NULL ? m->initial
					     : "",
			m->initial != NULL ? "`" : "");
		print_cell(out, m->help);
		fputs(" |\n", out);
		if (m->members != NULL) {
			snprintf(inner, sizeof(inner), "%s%s%s.", prefix, m->name,
				 m->type == MEMBER_ARRAY ? "[]" : "");
			print_params(out, m->members, inner);
		}
	}
}

static const char *unit_name(enum member_unit unit)
{
	switch (unit) {
	case UNIT_BYTES:
		return ", bytes";
	case UNIT_SECONDS:
		return ", seconds";
	case UNIT_CYCLES:
		return ", cycles";
	default:
		return "";
	}
}

static void print_result(FILE *out, const struct member *members, const char *prefix)
{
	char text[DESCRIBE_MAX], inner[64];

	for (const struct member *m = members; m->name != NULL; m++) {
		fprintf(out, "| `%s%s` | ", prefix, m->name);
		print_cell(out, member_describe(m, text, sizeof(text)));
		fprintf(out, "%s | ", unit_name(m->unit));
		print_cell(out, m->help);
		fputs(" |\n", out);
		if (m->members != NULL) {
			snprintf(inner, sizeof(inner), "%s%s%s.", prefix, m->name,
				 m->type == MEMBER_ARRAY ? "[]" : "");
			print_result(out, m->members, inner);
		}
	}
}

static void print_method(FILE *out, const struct method *m)
{
	fprintf(out, "\n### %s\n\n%s Right: `%s`.\n\n", m->name, m->summary, class_name(m->class));
	if (m->params[0].name != NULL) {
		fputs("| parameter | value | default | meaning |\n|---|---|---|---|\n", out);
		print_params(out, m->params, "");
		fputc('\n', out);
	}
	fprintf(out,
		"```json\n{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}\n```\n\n",
		m->name, m->example);
	fputs("| result | value | meaning |\n|---|---|---|\n", out);
	print_result(out, m->result, "");
}

static void print_events(FILE *out)
{
	fputs(about_sessions, out);
	fputs(about_events, out);
	print_result(out, event_common, "");
	for (size_t i = 0; i < EVENT_COUNT; i++) {
		const struct event_type *e = &event_table[i];
		fprintf(out, "\n### %s\n\n%s\n\n| member | value | meaning |\n|---|---|---|\n",
			e->name, e->summary);
		print_result(out, e->members, "");
	}
}

static void print_errors(FILE *out)
{
#define X(id, code, meaning) fprintf(out, "| %d | %s |\n", code, meaning);
	ERRORS(X)
#undef X
}

static void print_reference(FILE *out)
{
	fputs(introduction, out);
	print_errors(out);
	fputs("\n## Methods\n\n| method | right | |\n|---|---|---|\n", out);
	for (size_t i = 0; i < METHOD_COUNT; i++) {
		const struct method *m = &method_table[i];
		/* The anchor that renderers make of the heading. */
		fprintf(out, "| [`%s`](#", m->name);
		for (const char *c = m->name; *c != '\0'; c++)
			if (*c != '.')
				fputc(*c, out);
		fprintf(out, ") | %s | %s |\n", class_name(m->class), m->summary);
	}
	for (size_t i = 0; i < METHOD_COUNT; i++)
		print_method(out, &method_table[i]);
	print_events(out);
}

static int compare(const char *name)
{
	FILE *made = tmpfile(), *there = fopen(name, "re");
	int line = 1, a, b;

	if (made == NULL || there == NULL) {
		perror(name);
		return 1;
	}
	print_reference(made);
	rewind(made);
	do {
		a = fgetc(made);
		b = fgetc(there);
		line += a == '\n';
	} while (a == b && a != EOF);
	fclose(made);
	fclose(there);
	if (a == b)
		return 0;
	fprintf(stderr,
		"%s differs from the table of methods at line %d; "
		"build/lib/control/control_reference > docs/control.md makes it anew\n",
		name, line);
	return 1;
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return compare(argv[1]);
	print_reference(stdout);
	return 0;
}
