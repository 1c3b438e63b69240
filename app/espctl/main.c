/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "connection.h"
#include "control/wipe.h"
#include "help.h"
#include "show.h"

#define DEFAULT_SOCKET "/run/espalier/control.sock"

enum status { DONE = 0, REFUSED = 1, USAGE = 2, NO_ANSWER = 3 };

struct options {
	const char *socket;
	bool json, help;
	int timeout;
};

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
		    method_table[i].name[len] == '.')
			return true;
	return strcmp(word, "info") == 0;
}

/* "sa add …", or with the verb left out. *used is how many words name the method. */
static const struct method *choose(char **words, int count, int *used)
{
	const struct method *m = count > 1 ? find(words[0], words[1]) : NULL;

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

static void print_json(const json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
	putchar('\n');
}

static enum status refused(const struct options *o, const char *name, const json_t *error)
{
	if (o->json) {
		char *text = json_dumps(error, JSON_COMPACT);
		fprintf(stderr, "%s\n", text);
		wipe_free(text);
	} else {
		fprintf(stderr, "espctl: %s: %s\n", name,
			json_string_value(json_object_get(error, "message")));
	}
	return REFUSED;
}

/* Call once; the result is a new reference. */
static enum status call(struct connection *conn, const struct options *o, const char *name,
			json_t *params, json_t **result)
{
	json_t *answer = connection_call(conn, name, params);

	if (answer == NULL)
		return NO_ANSWER;
	const json_t *error = json_object_get(answer, "error");
	enum status status = error != NULL ? refused(o, name, error) : DONE;
	*result = json_incref(json_object_get(answer, "result"));
	json_decref(answer);
	return status;
}

/* A list comes in pages: get them all, unless the user turns the pages. */
static enum status call_all(struct connection *conn, const struct options *o, struct command *c,
			    json_t **result)
{
	bool paged = c->method != NULL && member_find(c->method->params, "after") != NULL &&
		     json_is_object(c->params) && json_object_get(c->params, "after") == NULL &&
		     json_object_get(c->params, "limit") == NULL;

	if (!paged)
		return call(conn, o, c->name, json_incref(c->params), result);
	json_t *all = json_array();
	enum status status;
	json_object_set_new(c->params, "limit", json_integer(1000));
	do {
		json_t *page = NULL;
		status = call(conn, o, c->name, json_deep_copy(c->params), &page);
		json_array_extend(all, json_object_get(page, "items"));
		json_object_del(c->params, "after");
		json_t *next = json_object_get(page, "next");
		if (next != NULL)
			json_object_set(c->params, "after", next);
		json_decref(page);
	} while (status == DONE && json_object_get(c->params, "after") != NULL);
	*result = json_pack("{s:o}", "items", all);
	return status;
}

static enum status run(const struct options *o, struct command *c)
{
	struct connection conn;
	json_t *result = NULL;

	if (connection_open(&conn, o->socket, o->timeout) != 0)
		return NO_ANSWER;
	enum status status = call_all(&conn, o, c, &result);
	connection_close(&conn);
	if (status == DONE) {
		if (o->json || c->method == NULL || c->method == &method_table[METHOD_rpc_discover])
			print_json(result);
		else
			show_result(stdout, c->method->result, result);
		if (fflush(stdout) != 0) {
			fprintf(stderr, "espctl: standard output: %s\n", strerror(errno));
			status = NO_ANSWER;
		}
	}
	json_decref(result);
	return status;
}

static enum status read_options(int argc, char **argv, struct options *o)
{
	static const struct option known[] = {
	    {"socket", required_argument, NULL, 's'},  {"json", no_argument, NULL, 'j'},
	    {"timeout", required_argument, NULL, 't'}, {"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'v'},       {0}};
	int opt;

	while ((opt = getopt_long(argc, argv, "s:jt:h", known, NULL)) != -1) {
		switch (opt) {
		case 's':
			o->socket = optarg;
			break;
		case 'j':
			o->json = true;
			break;
		case 't':
			o->timeout = atoi(optarg);
			if (o->timeout < 1 || o->timeout > 3600)
				return usage("--timeout takes 1 to 3600 seconds, not", optarg);
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
	return DONE;
}

int main(int argc, char **argv)
{
	struct options o = {.socket = getenv("ESPALIER_SOCKET"), .timeout = 30};
	struct command c = {0};

	wipe_json();
	if (o.socket == NULL)
		o.socket = DEFAULT_SOCKET;
	enum status status = read_options(argc, argv, &o);
	if (status != DONE)
		return (int)status;
	if (o.help)
		return (int)help(argv + optind, argc - optind);
	if (optind == argc) {
		help_all(stderr);
		return USAGE;
	}
	status = read_command(argv + optind, argc - optind, &c);
	if (status == DONE)
		status = run(&o, &c);
	json_decref(c.params);
	return (int)status;
}
