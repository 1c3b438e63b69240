/* SPDX-License-Identifier: BSD-3-Clause */
#include "gateway/life_log.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <rte_cycles.h>

#include "gateway/life_log_file.h"
#include "report/log.h"

struct life_log {
	struct life_log_file file;
	bool failing; /* said already */
};

static json_t *line_about(const char *what)
{
	struct timespec now;
	struct tm tm;
	char date[32], text[48];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text, sizeof(text), "%s.%03ldZ", date, now.tv_nsec / 1000000);
	return json_pack("{s:s, s:s}", "time", text, "event", what);
}

static void write_line(struct life_log *l, json_t *line)
{
	char *text = json_dumps(line, JSON_COMPACT);
	int err = text != NULL ? life_log_file_append(&l->file, text) : -ENOMEM;

	if (err != 0 && !l->failing)
		log_error("%s: a line about a tunnel is lost: %s", l->file.path, strerror(-err));
	l->failing = err != 0;
	free(text);
	json_decref(line);
}

static void put_text(json_t *line, const char *name, const char *text)
{
	if (text != NULL)
		json_object_set_new(line, name, json_string(text));
}

static void put_address(json_t *line, const char *name, const struct ip_addr *a)
{
	char text[IP_TEXT_MAX];

	if (a->family != 0)
		json_object_set_new(line, name, json_string(ip_addr_text(a, text)));
}

static void put_number(json_t *line, const char *name, uint64_t n)
{
	json_object_set_new(line, name, json_integer((json_int_t)n));
}

static void put_sas(json_t *line, const struct tunnel *t)
{
	const struct sa *any = t->out != NULL ? t->out : t->in;

	put_address(line, "local", any != NULL ? &any->spec.local : &t->spec.local);
	put_address(line, "remote", any != NULL ? &any->spec.remote : &t->spec.remote);
	if (t->in != NULL)
		put_number(line, "spi_in", t->in->spi);
	if (t->out != NULL)
		put_number(line, "spi_out", t->out->spi);
}

static void put_totals(json_t *line, const struct tunnel *t)
{
	struct tunnel_totals sum;

	tunnel_totals(t, &sum);
	put_number(line, "packets_in", sum.packets_in);
	put_number(line, "bytes_in", sum.bytes_in);
	put_number(line, "packets_out", sum.packets_out);
	put_number(line, "bytes_out", sum.bytes_out);
}

/* NULL: an event that this log does not keep. */
static const char *name_of(const struct event *e)
{
	switch (e->kind) {
	case EVENT_TUNNEL_STATE:
		if (strcmp(tunnel_state(e->tunnel), "up") == 0)
			return "TunnelConnected";
		return strcmp(e->was, "up") == 0 ? "TunnelDisconnected" : NULL;
	case EVENT_TUNNEL_REKEY:
		return "TunnelRekeyed";
	case EVENT_TUNNEL_RESET:
		return "TunnelReset";
	case EVENT_TUNNEL_GONE:
		return "TunnelDeleted";
	case EVENT_ACQUIRE:
		return "TunnelAcquire";
	default:
		return NULL;
	}
}

void life_log_event(void *life_log, const struct event *e)
{
	struct life_log *l = life_log;
	const char *name = name_of(e);

	if (name == NULL)
		return;
	json_t *line = line_about(name);
	put_text(line, "tunnel", e->tunnel->spec.name);
	put_text(line, "reason", e->reason);
	put_text(line, "actor", e->actor);
	put_sas(line, e->tunnel);
	if (strcmp(name, "TunnelDisconnected") == 0 || e->kind == EVENT_TUNNEL_GONE)
		put_totals(line, e->tunnel);
	write_line(l, line);
}

struct life_log *life_log_open(const struct life_log_config *config, struct fault *fault)
{
	struct life_log *l = calloc(1, sizeof(*l));

	if (l == NULL) {
		fault_set(fault, ENOMEM, "", "no memory");
		return NULL;
	}
	if (life_log_file_open(&l->file, config, fault) != 0) {
		free(l);
		return NULL;
	}
	json_t *line = line_about("GatewayStarted");
	put_text(line, "version", ESPALIER_VERSION);
	put_number(line, "pid", (uint64_t)getpid());
	write_line(l, line);
	return l;
}

void life_log_close(struct life_log *l)
{
	if (l == NULL)
		return;
	json_t *line = line_about("GatewayStopped");
	put_number(line, "pid", (uint64_t)getpid());
	write_line(l, line);
	life_log_file_close(&l->file);
	free(l);
}

int life_log_read(const struct life_log *l, const char *tunnel, unsigned int limit,
		  void (*line)(void *arg, const char *text, size_t len), void *arg)
{
	char wanted[TUNNEL_NAME_MAX + 16] = "";

	/* As write_line() writes it; a tunnel's name needs no escapes. */
	if (tunnel != NULL)
		snprintf(wanted, sizeof(wanted), "\"tunnel\":\"%s\"", tunnel);
	return life_log_file_read(&l->file, wanted, limit, line, arg);
}
