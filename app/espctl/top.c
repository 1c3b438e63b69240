/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ctl.h"
#include "show.h"
#include "terminal.h"
#include "top_sample.h"

#define LINE_MAX_BYTES 1024
#define INTERVAL_MS 1000

/* A column of the table of tunnels. */
struct column {
	const char *heading;
	int width;          /* negative: a number, at the right */
	int from;           /* shown on screens at least so wide */
	const char *total;  /* the rate of this counter, */
	double factor;      /* times this; */
	const char *member; /* or the text of this member */
};

static const struct column columns[] = {
    {"TUNNEL", 18, 0, NULL, 0, "name"},
    {"STATE", 5, 0, NULL, 0, "state"},
    {"IN pps", -7, 0, "totals.packets_in", 1, NULL},
    {"IN bit/s", -8, 0, "totals.bytes_in", 8, NULL},
    {"OUT pps", -7, 0, "totals.packets_out", 1, NULL},
    {"OUT bit/s", -9, 0, "totals.bytes_out", 8, NULL},
    {"DROP-IN/s", -9, 0, "totals.drops_in", 1, NULL},
    {"OUT/s", -5, 0, "totals.drops_out", 1, NULL},
    {"SINCE", -7, 100, NULL, 0, "since"},
    {"REMOTE", 39, 150, NULL, 0, "remote"},
    {"REASON", 34, 190, NULL, 0, "reason"},
};

struct picture {
	const struct sample *now, *before;
	double seconds, tsc_hz;
	int columns, rows; /* rows 0: as many as it takes */
	int lines;
};

/* One line, cut to the screen. */
static void __attribute__((format(printf, 2, 3))) say(struct picture *p, const char *fmt, ...)
{
	char text[LINE_MAX_BYTES], fitted[LINE_MAX_BYTES];
	va_list args;

	if (p->rows > 0 && p->lines >= p->rows)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	sample_fit(text, p->columns, fitted, sizeof(fitted));
	for (size_t end = strlen(fitted); end > 0 && fitted[end - 1] == ' '; end--)
		fitted[end - 1] = '\0';
	/* The first line stands where the cursor is; a newline behind the last would scroll. */
	if (p->rows > 0)
		printf("%s%s\033[K", p->lines > 0 ? "\r\n" : "", fitted);
	else
		printf("%s\n", fitted);
	p->lines++;
}

static const json_t *items(const json_t *list)
{
	return json_object_get(list, "items");
}

static double sum_of(const struct picture *p, const char *path)
{
	double sum = 0;
	json_t *t;
	size_t i;

	json_array_foreach (items(p->now->tunnels), i, t)
		sum += sample_rate(
		    t, sample_find(items(p->before->tunnels), "name", json_object_get(t, "name")),
		    path, p->seconds);
	return sum;
}

static void say_sums(struct picture *p)
{
	char in[16], in_bits[16], out[16], out_bits[16];
	size_t up = 0, i;
	json_t *t;

	json_array_foreach (items(p->now->tunnels), i, t)
		up += strcmp(json_string_value(json_object_get(t, "state")), "up") == 0;
	say(p, "espalier  tunnels %zu, up %zu  in %s pps %s bit/s  out %s pps %s bit/s",
	    json_array_size(items(p->now->tunnels)), up,
	    sample_text(sum_of(p, "totals.packets_in"), in, sizeof(in)),
	    sample_text(sum_of(p, "totals.bytes_in") * 8, in_bits, sizeof(in_bits)),
	    sample_text(sum_of(p, "totals.packets_out"), out, sizeof(out)),
	    sample_text(sum_of(p, "totals.bytes_out") * 8, out_bits, sizeof(out_bits)));
}

/* `busy_cycles` of all that passed: what is left for more traffic. */
static void say_workers(struct picture *p)
{
	char text[LINE_MAX_BYTES] = "workers ";
	const json_t *workers = json_object_get(p->now->counters, "workers");
	json_t *w;
	size_t i;

	json_array_foreach ((json_t *)(uintptr_t)workers, i, w) {
		const json_t *old = sample_find(json_object_get(p->before->counters, "workers"),
						"worker", json_object_get(w, "worker"));
		double busy = sample_rate(w, old, "busy_cycles", p->seconds) / p->tsc_hz * 100;
		size_t at = strlen(text);
		snprintf(text + at, sizeof(text) - at, "  %.0f: %.0f %%",
			 sample_number(w, "worker"), busy > 100 ? 100 : busy);
	}
	say(p, "%s", text);
}

static void say_ports(struct picture *p)
{
	char text[LINE_MAX_BYTES] = "ports   ", rx[16], tx[16], missed[16];
	json_t *port;
	size_t i;

	json_array_foreach (items(p->now->ports), i, port) {
		const json_t *name = json_object_get(port, "name");
		const json_t *old = sample_find(items(p->before->ports), "name", name);
		double lost = sample_rate(port, old, "rx_missed", p->seconds);
		size_t at = strlen(text);
		snprintf(
		    text + at, sizeof(text) - at, "  %s%s rx %s tx %s pps%s%s",
		    json_string_value(name),
		    json_is_true(json_object_get(port, "up")) ? "" : " DOWN",
		    sample_text(sample_rate(port, old, "rx_packets", p->seconds), rx, sizeof(rx)),
		    sample_text(sample_rate(port, old, "tx_packets", p->seconds), tx, sizeof(tx)),
		    lost > 0 ? " missed " : "",
		    lost > 0 ? sample_text(lost, missed, sizeof(missed)) : "");
	}
	say(p, "%s", text);
}

static void say_drops(struct picture *p)
{
	char text[LINE_MAX_BYTES] = "drops/s ", rate[16];
	bool any = false;
	json_t *drop;
	size_t i;

	json_array_foreach (items(p->now->drops), i, drop) {
		const json_t *name = json_object_get(drop, "reason");
		const json_t *old = sample_find(items(p->before->drops), "reason", name);
		double n = sample_rate(drop, old, "count", p->seconds);
		size_t at = strlen(text);
		if (n > 0)
			snprintf(text + at, sizeof(text) - at, "  %s %s", json_string_value(name),
				 sample_text(n, rate, sizeof(rate)));
		any |= n > 0;
	}
	say(p, "%s%s", text, any ? "" : "  none");
}

static const char *cell(const struct picture *p, const struct column *c, const json_t *t, char *buf,
			size_t size)
{
	static const struct member *members;

	if (c->member == NULL) {
		const json_t *old =
		    sample_find(items(p->before->tunnels), "name", json_object_get(t, "name"));
		return sample_text(sample_rate(t, old, c->total, p->seconds) * c->factor, buf,
				   size);
	}
	if (members == NULL)
		members = member_find(method_table[METHOD_tunnel_list].result, "items")->members;
	return show_value(member_find(members, c->member), json_object_get(t, c->member), buf,
			  size);
}

static void say_row(struct picture *p, const json_t *t)
{
	char text[LINE_MAX_BYTES] = "", value[256], fitted[256];

	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
		const struct column *c = &columns[i];
		size_t at = strlen(text);
		if (p->columns < c->from)
			continue;
		snprintf(text + at, sizeof(text) - at, "%s%s", at > 0 ? " " : "",
			 sample_fit(t != NULL ? cell(p, c, t, value, sizeof(value)) : c->heading,
				    c->width, fitted, sizeof(fitted)));
	}
	say(p, "%s", text);
}

static double traffic(const struct picture *p, const json_t *t)
{
	const json_t *old =
	    sample_find(items(p->before->tunnels), "name", json_object_get(t, "name"));

	return sample_rate(t, old, "totals.bytes_in", p->seconds) +
	       sample_rate(t, old, "totals.bytes_out", p->seconds);
}

struct ranked {
	double traffic;
	const json_t *tunnel;
};

static int by_traffic(const void *a, const void *b)
{
	double x = ((const struct ranked *)a)->traffic, y = ((const struct ranked *)b)->traffic;

	return (x < y) - (x > y);
}

/* The busiest first. */
static void say_tunnels(struct picture *p)
{
	size_t n = json_array_size(items(p->now->tunnels)), i;
	struct ranked *ranked = calloc(n + 1, sizeof(*ranked));
	json_t *t;

	if (ranked == NULL)
		return;
	json_array_foreach (items(p->now->tunnels), i, t)
		ranked[i] = (struct ranked){traffic(p, t), t};
	qsort(ranked, n, sizeof(*ranked), by_traffic);
	say_row(p, NULL);
	for (i = 0; i < n && (p->rows == 0 || p->lines < p->rows); i++)
		say_row(p, ranked[i].tunnel);
	free(ranked);
}

static double clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static enum status take(const struct ctl *ctl, struct sample *s)
{
	json_t *none = json_object(), *nonzero = json_pack("{s:b}", "zeros", 0);
	enum status status =
	    ctl_call_all(ctl, &method_table[METHOD_tunnel_list], none, &s->tunnels);

	s->time = clock_now();
	if (status == DONE)
		status = ctl_call(ctl, "counters.get", NULL, &s->counters);
	if (status == DONE)
		status = ctl_call(ctl, "drops.get", nonzero, &s->drops);
	if (status == DONE)
		status = ctl_call(ctl, "port.list", NULL, &s->ports);
	json_decref(none);
	json_decref(nonzero);
	return status;
}

static void draw(const struct sample *before, const struct sample *now, double tsc_hz, bool screen)
{
	struct terminal_size size = terminal_size();
	struct picture p = {.now = now,
			    .before = before,
			    .seconds = now->time - before->time,
			    .tsc_hz = tsc_hz,
			    .columns = size.columns,
			    .rows = screen ? size.rows : 0};

	if (screen)
		fputs("\033[H", stdout);
	say_sums(&p);
	say_workers(&p);
	say_ports(&p);
	say_drops(&p);
	say(&p, "%s", "");
	say_tunnels(&p);
	if (screen)
		fputs("\033[J", stdout);
}

/* Wait for the next picture. False: the user has seen enough. */
static bool wait_for_next(bool screen, int ms)
{
	const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

	if (!screen) {
		nanosleep(&pause, NULL);
		return !stop_wanted();
	}
	int key = terminal_key(ms);
	return key != 'q' && key != 'Q' && key != -1 && !stop_wanted();
}

static enum status follow(const struct ctl *ctl, double tsc_hz, bool screen)
{
	long frames = ctl->o->frames > 0 ? ctl->o->frames : screen ? 0 : 1;
	int ms = ctl->o->watch > 0 ? ctl->o->watch : INTERVAL_MS;
	struct sample before, now = {0};
	enum status status = take(ctl, &now);

	before = now;
	/* At once, though there is no rate yet: the screen is not left empty. */
	if (status == DONE && screen)
		draw(&before, &now, tsc_hz, screen);
	for (long n = 0; status == DONE && (frames == 0 || n < frames); n++) {
		status = ctl_flush();
		if (status != DONE || !wait_for_next(screen, ms))
			break;
		struct sample next = {0};
		status = take(ctl, &next);
		if (before.tunnels != now.tunnels)
			sample_free(&before);
		before = now;
		now = next;
		if (status == DONE && n > 0 && !screen)
			putchar('\n');
		if (status == DONE)
			draw(&before, &now, tsc_hz, screen);
	}
	if (before.tunnels != now.tunnels)
		sample_free(&before);
	sample_free(&now);
	return status == DONE ? ctl_flush() : status;
}

enum status top_command(const struct ctl *ctl)
{
	json_t *info;
	enum status status = ctl_call(ctl, "gateway.info", NULL, &info);

	if (status != DONE)
		return status;
	double tsc_hz = sample_number(info, "tsc_hz");
	json_decref(info);
	stop_catch();
	bool screen = ctl->o->frames == 0 && terminal_open() == 0;
	status = follow(ctl, tsc_hz > 0 ? tsc_hz : 1, screen);
	terminal_close();
	return status;
}
