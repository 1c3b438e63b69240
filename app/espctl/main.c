/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "arguments.h"
#include "ctl.h"
#include "help.h"
#include "show.h"

/* What is to be called. method is NULL for one that only the gateway knows. */
struct command {
	const char *name;
	const struct method *method;
	json_t *params;
};

static enum status usage(const char *what, const char *word)
{
	fprintf(stderr, "espctl: %s \"%s\"; --help lists what there is\n", what, word);
	return USAGE;
}

static const struct method *find(const char *object, const char *verb)
{
	char name[64];

	snprintf(name, sizeof(name), "%s.%s", object, verb);
	return method_find(name);
}

/* The verb of an object that stands alone. */
static const struct method *find_default(const char *object)
{
	static const char *const verbs[] = {"list", "get", "info"};
	const struct method *m = NULL;

	if (strcmp(object, "info") == 0)
		object = "gateway";
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]) && m == NULL; i++)
		m = find(object, verbs[i]);
	return m;
}

static bool is_object(const char *word)
{
	size_t len = strlen(word);

	for (size_t i = 0; i < METHOD_COUNT; i++)
		if (strncmp(method_table[i].name, word, len) == 0 &&
		    (method_table[i].name[len] == '.' || method_table[i].name[len] == '\0'))
			return true;
	return strcmp(word, "info") == 0;
}

/* "sa add …", or with the verb left out. *used is how many words name the method. */
static const struct method *choose(char **words, int count, int *used)
{
	const struct method *m = method_find(words[0]);

	*used = 1;
	if (m != NULL)
		return m;
	m = count > 1 ? find(words[0], words[1]) : NULL;
	*used = 2;
	if (m != NULL || (count > 1 && strchr(words[1], '=') == NULL))
		return m;
	*used = 1;
	return find_default(words[0]);
}

static enum status read_call(char **words, int count, struct command *c)
{
	if (count < 2) {
		fprintf(stderr, "espctl: call needs a method\n");
		return USAGE;
	}
	c->name = words[1];
	c->method = method_find(words[1]);
	bool named = count > 2 && strchr("{[-", words[2][0]) == NULL;
	if (count == 2) {
		c->params = json_object();
	} else if (named && c->method != NULL) {
		c->params = arguments_read(c->method, words + 2, count - 2);
	} else if (!named && count == 3) {
		c->params = arguments_json(words[2]);
	} else {
		return usage("unexpected", words[named ? 2 : 3]);
	}
	return c->params != NULL ? DONE : USAGE;
}

static enum status read_command(char **words, int count, struct command *c)
{
	int used;

	if (strcmp(words[0], "call") == 0)
		return read_call(words, count, c);
	if (!is_object(words[0]))
		return usage("there is no object", words[0]);
	c->method = choose(words, count, &used);
	if (c->method == NULL) {
		fprintf(stderr, "espctl: there is no \"%s%s%s\"; there are:\n", words[0],
			count > 1 ? " " : "", count > 1 ? words[1] : "");
		help_object(stderr, words[0]);
		return USAGE;
	}
	c->name = c->method->name;
	c->params = arguments_read(c->method, words + used, count - used);
	return c->params != NULL ? DONE : USAGE;
}

static enum status help(char **words, int count)
{
	int used;

	if (count == 0) {
		help_all(stdout);
		return DONE;
	}
	const struct method *m = NULL;
	if (strcmp(words[0], "call") == 0)
		m = count > 1 ? method_find(words[1]) : NULL;
	else if (count > 1 || strcmp(words[0], "info") == 0)
		m = choose(words, count, &used);
	if (m != NULL)
		help_method(stdout, m);
	else if (is_object(words[0]))
		help_object(stdout, words[0]);
	else
		help_all(stdout);
	return DONE;
}

static enum status show_once(const struct ctl *ctl, const struct command *c)
{
	json_t *result;
	enum status status = c->method != NULL && json_is_object(c->params)
				 ? ctl_call_all(ctl, c->method, c->params, &result)
				 : ctl_call(ctl, c->name, c->params, &result);

	if (status == DONE) {
		if (ctl->o->json || c->method == NULL ||
		    c->method == &method_table[METHOD_rpc_discover])
			show_json(stdout, result);
		else
			show_result(stdout, c->method->result, result);
		status = ctl_flush();
	}
	json_decref(result);
	return status;
}

/* Once, or again and again: on a terminal in its place, else one behind the other. */
static enum status run(const struct ctl *ctl, const struct command *c)
{
	struct timespec pause = {.tv_sec = ctl->o->watch / 1000,
				 .tv_nsec = ctl->o->watch % 1000 * 1000000L};
	enum status status;
	long frame = 0;

	if (ctl->o->watch == 0)
		return show_once(ctl, c);
	if (c->method == NULL || c->method->class != CONTROL_READ)
		return usage("--watch repeats what only reads, not", c->name);
	stop_catch();
	do {
		if (frame > 0 && nanosleep(&pause, NULL) != 0 && stop_wanted())
			return DONE;
		if (isatty(STDOUT_FILENO) && !ctl->o->json)
			fputs("\033[H\033[J", stdout);
		else if (frame > 0 && !ctl->o->json)
			putchar('\n');
		status = show_once(ctl, c);
		frame++;
	} while (status == DONE && !stop_wanted() &&
		 (ctl->o->frames == 0 || frame < ctl->o->frames));
	return status;
}

/* What is more than one call. False: it is something else. */
static bool special(const struct ctl *ctl, char **words, int count, enum status *status)
{
	if (strcmp(words[0], "events") == 0 && (count == 1 || find("events", words[1]) == NULL))
		*status = events_command(ctl, words + 1, count - 1);
	else if (strcmp(words[0], "explain") == 0)
		*status = explain_command(ctl, words + 1, count - 1);
	else if (strcmp(words[0], "top") == 0)
		*status = top_command(ctl);
	else if (count == 3 && strcmp(words[0], "tunnel") == 0 && strcmp(words[1], "show") == 0)
		*status = tunnel_show_command(ctl, words[2]);
	else if (count > 1 && strcmp(words[0], "tunnel") == 0 && strcmp(words[1], "log") == 0)
		*status = tunnel_log_command(ctl, words + 2, count - 2);
	else if (count == 2 && strcmp(words[0], "tunnel") == 0 && strchr(words[1], '=') == NULL &&
		 find("tunnel", words[1]) == NULL)
		*status = tunnel_show_command(ctl, words[1]);
	else
		return false;
	return true;
}

static bool read_number(const char *text, double min, double max, double *out)
{
	char *end;

	*out = strtod(text, &end);
	return end != text && *end == '\0' && *out >= min && *out <= max;
}

static bool wants_colour(const char *when)
{
	const char *no = getenv("NO_COLOR");

	if (strcmp(when, "auto") == 0)
		return isatty(STDOUT_FILENO) && (no == NULL || no[0] == '\0');
	return strcmp(when, "always") == 0;
}

static enum status read_options(int argc, char **argv, struct options *o)
{
	enum { COLOUR = 256, FRAMES };
	static const struct option known[] = {
	    {"socket", required_argument, NULL, 's'},    {"json", no_argument, NULL, 'j'},
	    {"timeout", required_argument, NULL, 't'},   {"watch", optional_argument, NULL, 'w'},
	    {"colour", required_argument, NULL, COLOUR}, {"color", required_argument, NULL, COLOUR},
	    {"frames", required_argument, NULL, FRAMES}, {"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'v'},         {0}};
	const char *colour = "auto";
	double number;
	int opt;

	while ((opt = getopt_long(argc, argv, "s:jt:hn:", known, NULL)) != -1) {
		switch (opt) {
		case 's':
			o->socket = optarg;
			break;
		case 'j':
			o->json = true;
			break;
		case 't':
			if (!read_number(optarg, 1, 3600, &number))
				return usage("--timeout takes 1 to 3600 seconds, not", optarg);
			o->timeout = (int)number;
			break;
		case 'w':
			number = 2;
			if (optarg != NULL && !read_number(optarg, 0.1, 3600, &number))
				return usage("--watch takes 0.1 to 3600 seconds, not", optarg);
			o->watch = (int)(number * 1000);
			break;
		case 'n':
		case FRAMES:
			if (!read_number(optarg, 1, 1e9, &number))
				return usage("--frames takes a number from 1, not", optarg);
			o->frames = (long)number;
			break;
		case COLOUR:
			colour = optarg;
			if (strcmp(colour, "auto") != 0 && strcmp(colour, "always") != 0 &&
			    strcmp(colour, "never") != 0)
				return usage("--colour takes auto, always or never, not", colour);
			break;
		case 'h':
			o->help = true;
			break;
		case 'v':
			printf("espctl %s\n", ESPALIER_VERSION);
			exit(DONE);
		default:
			return USAGE;
		}
	}
	o->colour = wants_colour(colour);
	return DONE;
}

static enum status command(const struct ctl *ctl, char **words, int count)
{
	struct command c = {0};
	enum status status;

	if (special(ctl, words, count, &status))
		return status;
	status = read_command(words, count, &c);
	if (status == DONE)
		status = run(ctl, &c);
	json_decref(c.params);
	return status;
}

int main(int argc, char **argv)
{
	struct options o = {.timeout = 30};
	struct ctl ctl = {.o = &o};

	espalier_wipe_json();
	enum status status = read_options(argc, argv, &o);
	if (status != DONE)
		return (int)status;
	show_set_colour(o.colour);
	if (o.help)
		return (int)help(argv + optind, argc - optind);
	if (optind == argc) {
		help_all(stderr);
		return USAGE;
	}
	ctl.gateway = espalier_open(o.socket);
	if (ctl.gateway == NULL) {
		fprintf(stderr, "espctl: no memory\n");
		return NO_ANSWER;
	}
	status = command(&ctl, argv + optind, argc - optind);
	espalier_close(ctl.gateway);
	return (int)status;
}
