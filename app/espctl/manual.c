/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "control/describe.h"
#include "control/event_table.h"
#include "control/method.h"
#include "generate.h"

/* Text that roff takes as it stands. */
static void print_text(FILE *out, const char *text)
{
	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '\\')
			fputs("\\e", out);
		else if (*p == '-')
			fputs("\\-", out);
		else if (p == text && (*p == '.' || *p == '\''))
			fprintf(out, "\\&%c", *p);
		else if ((unsigned char)*p == 0xe2 && (unsigned char)p[1] == 0x80 &&
			 (unsigned char)p[2] == 0xa6) {
			fputs("...", out);
			p += 2;
		} else {
			fputc(*p, out);
		}
	}
}

static const char head[] =
    ".TH ESPCTL 1 \"\" \"espalier " ESPALIER_VERSION "\" \"espalier\"\n"
    ".SH NAME\n"
    "espctl \\- see and change a running espalier IPsec gateway\n"
    ".SH SYNOPSIS\n"
    ".B espctl\n"
    ".RI [ OPTIONS ]\n"
    ".I OBJECT\n"
    ".RI [ VERB ]\n"
    ".RI [ NAME=VALUE\n"
    "\\&...]\n"
    ".br\n"
    ".B espctl\n"
    ".RI [ OPTIONS ]\n"
    ".B call\n"
    ".I METHOD\n"
    ".RI [ JSON |\n"
    ".B \\-\n"
    "|\n"
    ".I NAME=VALUE\n"
    "\\&...]\n"
    ".SH DESCRIPTION\n"
    "Talks to a running\n"
    ".BR espalierd (8)\n"
    "over its control socket.\n"
    "Values alone stand for the parameters in their order; an object alone lists or shows.\n"
    "A value of\n"
    ".B \\-\n"
    "reads parameters from standard input, and\n"
    ".BI key=@ FILE\n"
    "a key from a file, so that keys need not stand in a command line.\n"
    ".SH OPTIONS\n"
    ".TP\n"
    ".BI \\-\\-socket \" PATH\"\n"
    "The gateway's control socket; else that of the environment variable\n"
    ".BR ESPALIER_SOCKET ,\n"
    "else /run/espalier/control.sock.\n"
    ".TP\n"
    ".B \\-\\-json\n"
    "Print the result as JSON; events as one object a line.\n"
    ".TP\n"
    ".BR \\-\\-watch [ =\\fISECONDS\\fR ]\n"
    "Repeat a command that reads, every two seconds or so often, until Ctrl\\-C.\n"
    ".TP\n"
    ".BI \\-\\-frames \" N\"\n"
    "With \\-\\-watch and top: end after so many repetitions.\n"
    ".TP\n"
    ".BI \\-\\-colour \" WHEN\"\n"
    "auto (on a terminal, unless NO_COLOR is set), always or never.\n"
    ".TP\n"
    ".BI \\-\\-timeout \" SECONDS\"\n"
    "How long to wait for an answer, 30 by default.\n"
    ".TP\n"
    ".B \\-\\-help\n"
    "What there is; behind an object and a verb, what they take.\n"
    ".TP\n"
    ".B \\-\\-version\n"
    "Print the version.\n"
    ".SH COMMANDS FOR PEOPLE\n"
    ".TP\n"
    ".B top\n"
    "Live rates of tunnels, load of workers, drops; q ends it.\n"
    "Without a terminal, or with \\-\\-frames, it prints and ends.\n"
    ".TP\n"
    ".BI tunnel \" NAME\"\n"
    "One tunnel with its SAs, what they dropped, and its policies.\n"
    ".TP\n"
    ".BI \"tunnel log\" \" NAME\"\n"
    "When it came up and went down, and why.\n"
    ".TP\n"
    ".B events\n"
    "Follow what happens, a line an event; names of events and\n"
    ".BI tunnel= NAME\n"
    "filter.\n"
    ".TP\n"
    ".BI explain \" SRC DST\" \\fR[\\fIPROTO\\fR\\ [\\fIPORT\\fR]]\n"
    "What a packet would meet: policy, tunnel, SA, route, neighbour, MTU, and what would drop "
    "it.\n";

static const char tail[] =
    ".SH EXIT STATUS\n"
    "0 done; 1 refused by the gateway, and for explain: the packet would be dropped; 2 wrong\n"
    "usage; 3 no connection or no answer.\n"
    ".SH EXAMPLES\n"
    ".nf\n"
    "espctl tunnel list\n"
    "espctl tunnel add paris local=198.51.100.1 remote=192.0.2.1\n"
    "espctl sa add in 0x1000 paris key=@paris.key replay_window=2048\n"
    "espctl explain 10.1.0.5 10.2.0.9 tcp 443\n"
    "espctl \\-\\-json events tunnel.state sa.hard\n"
    "espctl \\-\\-watch drops zeros=no\n"
    ".fi\n"
    ".SH SEE ALSO\n"
    "docs/control.md of espalier: every method with its results and errors.\n";

static void print_member(FILE *out, const struct member *m, const char *prefix)
{
	char allowed[DESCRIBE_MAX];

	fprintf(out, ".RS\n.TP\n.B %s%s\n", prefix, m->name);
	print_text(out, m->help);
	fputs(" (", out);
	print_text(out, member_describe(m, allowed, sizeof(allowed)));
	if (m->initial != NULL) {
		fputs("; default ", out);
		print_text(out, m->initial);
	}
	fputs(m->required ? "; required).\n.RE\n" : ").\n.RE\n", out);
}

static void print_method(FILE *out, const struct method *m)
{
	size_t len = strcspn(m->name, ".");

	fprintf(out, ".TP\n.B %.*s%s%s\n", (int)len, m->name, m->name[len] == '.' ? " " : "",
		m->name[len] == '.' ? m->name + len + 1 : "");
	print_text(out, m->summary);
	fputc('\n', out);
	for (const struct member *p = m->params; p->name != NULL; p++) {
		print_member(out, p, "");
		if (p->type == MEMBER_OBJECT)
			for (const struct member *q = p->members; q->name != NULL; q++) {
				char prefix[64];
				snprintf(prefix, sizeof(prefix), "%s.", p->name);
				print_member(out, q, prefix);
			}
	}
}

void generate_manual(FILE *out)
{
	fputs(head, out);
	fputs(".SH COMMANDS\n", out);
	for (size_t i = 0; i < METHOD_COUNT; i++)
		print_method(out, &method_table[i]);
	fputs(".SH EVENTS\n", out);
	for (size_t i = 0; i < EVENT_COUNT; i++) {
		fprintf(out, ".TP\n.B %s\n", event_table[i].name);
		print_text(out, event_table[i].summary);
		fputc('\n', out);
	}
	fputs(tail, out);
}
