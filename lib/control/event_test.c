/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/testsocket.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "control/event_table.h"
#include "control/server.h"
#include "control/state.h"

/* What subscribers get, in which order, and what becomes of those who do not read. */

static int start(void **state)
{
	(void)state;
	return socket_start(&(struct control_config){.stall_seconds = 2, .clients_max = 1100});
}

#define with_socket(test) cmocka_unit_test_setup_teardown(test, start, socket_stop)

/* One event of each kind, as the gateway would raise it. */
static struct event samples[EVENT_KINDS];
static struct sa sample_sa;
static struct policy sample_policy = {.name = "branch"};
static struct port sample_port = {.name = "wan"};

static void make_samples(void)
{
	struct tunnel *paris = tunnel_find(testbed.g.sadb, "paris");

	sample_sa = (struct sa){.direction = SA_OUTBOUND, .spi = 0xfedcba98};
	ip_addr_parse("198.51.100.1", &sample_sa.spec.local);
	ip_addr_parse("2001:db8::2", &sample_sa.spec.remote);
	for (int i = 0; i < EVENT_KINDS; i++)
		samples[i] = (struct event){.kind = (enum event_kind)i,
					    .tunnel = paris,
					    .sa = &sample_sa,
					    .policy = &sample_policy,
					    .was = "up",
					    .reason = "hard lifetime (bytes)",
					    .actor = "charon (pid 812, uid 0)",
					    .limit = LIMIT_USE_TIME,
					    .drop = DROP_ESP_ICV,
					    .count = 12345,
					    .source_port = 4501};
	for (int i = 0; i < EVENT_KINDS; i++) {
		struct flow *f = &samples[i].flow;
		ip_addr_parse("192.0.2.9", &samples[i].source);
		*f = (struct flow){.family = 4,
				   .proto = 17,
				   .ports_known = true,
				   .local_port = 5000,
				   .remote_port = 53};
		f->local[0] = 10;
		f->remote[0] = 172;
	}
	samples[EVENT_PORT_LINK].tunnel = NULL;
	samples[EVENT_PORT_LINK].port = &sample_port;
	samples[EVENT_PORT_LINK].up = true;
}

/* In the loop's thread. */
static void raise_one(void *event)
{
	subscription_event(socket_control->server, event);
}

struct flood {
	const struct event *event;
	int count;
};

static void raise_many(void *arg)
{
	const struct flood *f = arg;

	for (int i = 0; i < f->count; i++)
		subscription_event(socket_control->server, f->event);
}

static json_t *hear_json(int fd)
{
	const char *line = hear(fd);
	json_t *value = line != NULL ? json_loads(line, 0, NULL) : NULL;

	if (value == NULL)
		fail_msg("no JSON: %s", line);
	return value;
}

static int subscribed(const char *params)
{
	int fd = connected();
	char line[256];

	snprintf(line, sizeof(line),
		 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"events.subscribe\",\"params\":%s}\n",
		 params);
	say_text(fd, line);
	json_t *answer = hear_json(fd);
	if (at(answer, "result.events") == NULL)
		fail_msg("%s is refused", params);
	json_decref(answer);
	return fd;
}

/* The parameters of the next event. */
static json_t *hear_event(int fd)
{
	json_t *note = hear_json(fd), *params = json_incref(at(note, "params"));

	assert_string_equal(text_at(note, "jsonrpc"), "2.0");
	assert_string_equal(text_at(note, "method"), "event");
	assert_null(at(note, "id"));
	json_decref(note);
	return params;
}

static bool is_of_type(const struct member *m, const json_t *value)
{
	switch (m->type) {
	case MEMBER_BOOLEAN:
		return json_is_boolean(value);
	case MEMBER_INTEGER:
		return json_is_integer(value);
	case MEMBER_OBJECT:
		return json_is_object(value);
	default:
		return json_is_string(value);
	}
}

/* Exactly the members of the table: the sample has everything that may be absent. */
static void expect_members(const json_t *value, const struct member *common,
			   const struct member *own)
{
	size_t n = 0;

	for (const struct member *list = common; list != NULL; list = list == common ? own : NULL)
		for (const struct member *m = list; m->name != NULL; m++, n++) {
			const json_t *one = json_object_get(value, m->name);
			if (one == NULL || !is_of_type(m, one))
				fail_msg("%s is missing or of another type", m->name);
			if (m->members != NULL)
				expect_members(one, m->members, &m->members[json_object_size(one)]);
		}
	assert_int_equal(json_object_size(value), n);
}

static void each_event_is_as_the_table_says(void **state)
{
	(void)state;
	int fd = subscribed("{}");

	make_samples();
	for (int i = 0; i < EVENT_KINDS; i++) {
		in_loop(raise_one, &samples[i]);
		json_t *e = hear_event(fd);
		assert_string_equal(text_at(e, "event"), event_table[i].name);
		assert_int_equal(number_at(e, "seq"), i + 1);
		expect_members(e, event_common, event_table[i].members);
		int year, rest = 0;
		assert_int_equal(sscanf(text_at(e, "time"), "%4d-%*2d-%*2dT%*2d:%*2d:%*2d.%*3dZ%n",
					&year, &rest),
				 1);
		assert_true(year > 2020 && rest == 24);
		if (i == EVENT_SA_HARD) {
			assert_string_equal(text_at(e, "limit"), "use_time");
			assert_string_equal(text_at(e, "direction"), "out");
			assert_string_equal(text_at(e, "remote"), "2001:db8::2");
			assert_int_equal(number_at(e, "spi"), 0xfedcba98);
		} else if (i == EVENT_ACQUIRE) {
			assert_string_equal(text_at(e, "packet.remote"), "172.0.0.0");
			assert_int_equal(number_at(e, "packet.remote_port"), 53);
			assert_string_equal(text_at(e, "policy"), "branch");
		} else if (i == EVENT_SA_FAILURES) {
			assert_string_equal(text_at(e, "reason"), "esp_icv");
		} else if (i == EVENT_TUNNEL_STATE) {
			assert_string_equal(text_at(e, "actor"), "charon (pid 812, uid 0)");
			assert_string_equal(text_at(e, "state"), "down");
		}
		json_decref(e);
	}
	/* What may be absent, absent. */
	samples[EVENT_ACQUIRE].policy = NULL;
	samples[EVENT_ACQUIRE].flow.ports_known = false;
	in_loop(raise_one, &samples[EVENT_ACQUIRE]);
	json_t *e = hear_event(fd);
	assert_null(at(e, "policy"));
	assert_null(at(e, "packet.local_port"));
	json_decref(e);
	samples[EVENT_SA_MAPPING].source_port = 0;
	in_loop(raise_one, &samples[EVENT_SA_MAPPING]);
	e = hear_event(fd);
	assert_true(json_is_false(at(e, "udp")));
	assert_null(at(e, "new_port"));
	json_decref(e);
	/* A reason that was cut in the middle of a character, and hostile bytes. */
	samples[EVENT_TUNNEL_STATE].reason = "caf\xc3";
	samples[EVENT_TUNNEL_STATE].actor = NULL;
	in_loop(raise_one, &samples[EVENT_TUNNEL_STATE]);
	e = hear_event(fd);
	assert_string_equal(text_at(e, "reason"), "caf");
	assert_null(at(e, "actor"));
	json_decref(e);
	samples[EVENT_TUNNEL_RESET].reason = "a\"b\n\xff\xfe\xfd\xfc\xfb\xfa";
	in_loop(raise_one, &samples[EVENT_TUNNEL_RESET]);
	json_decref(hear_event(fd));
	close(fd);
}

static void expect_next(int fd, const char *name, int seq)
{
	json_t *e = hear_event(fd);

	assert_string_equal(text_at(e, "event"), name);
	assert_int_equal(number_at(e, "seq"), seq);
	json_decref(e);
}

static void filters_choose(void **state)
{
	(void)state;
	int links = subscribed("{\"events\":[\"port.link\",\"sa.soft\"]}");
	int paris = subscribed("{\"tunnel\":\"paris\"}"),
	    rome = subscribed("{\"tunnel\":\"rome\"}");
	int none = subscribed("{\"events\":[]}"), changing = subscribed("{}");

	make_samples();
	for (int i = 0; i < EVENT_KINDS; i++)
		in_loop(raise_one, &samples[i]);
	expect_next(links, "sa.soft", 1);
	expect_next(links, "port.link", 2);
	/* port.link is of no tunnel. */
	for (int i = 0; i < EVENT_KINDS - 1; i++)
		expect_next(paris, event_table[i].name, i + 1);
	for (int i = 0; i < EVENT_KINDS; i++)
		expect_next(changing, event_table[i].name, i + 1);
	/* A new filter in place of the old one goes on counting. */
	say_text(changing,
		 "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"events.subscribe\",\"params\":"
		 "{\"events\":[\"acquire\"]}}\n");
	assert_string_equal(hear(changing), "{\"jsonrpc\":\"2.0\",\"result\":{\"events\":"
					    "[\"acquire\"]},\"id\":2}");
	for (int i = 0; i < EVENT_KINDS; i++)
		in_loop(raise_one, &samples[i]);
	expect_next(changing, "acquire", EVENT_KINDS + 1);
	/* And none any more. */
	say_text(changing, "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"events.unsubscribe\"}\n"
			   "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"events.unsubscribe\"}\n");
	assert_non_null(strstr(hear(changing), "{\"subscribed\":true}"));
	assert_non_null(strstr(hear(changing), "{\"subscribed\":false}"));
	in_loop(raise_one, &samples[EVENT_ACQUIRE]);
	int quiet[] = {rome, none, changing};
	for (size_t i = 0; i < 3; i++) {
		say_text(quiet[i], INFO);
		assert_non_null(strstr(hear(quiet[i]), "\"version\""));
	}
	int all[] = {links, paris, rome, none, changing};
	for (size_t i = 0; i < 5; i++)
		close(all[i]);
	/* Nobody is left to be told. */
	expect_alive();
	in_loop(raise_one, &samples[EVENT_ACQUIRE]);
}

/* One subscriber stalls: it alone is cut off, and the line that says so is whole. */
static void a_stalled_subscriber_is_told_and_others_miss_nothing(void **state)
{
	(void)state;
	enum { listeners = 8, rounds = 120, each = 50, pause_ms = 60 };
	struct flood flood = {&samples[EVENT_TUNNEL_STATE], each};
	int fd[listeners], stalled = subscribed("{}"), small = 4096;
	unsigned long before = turns;

	make_samples();
	setsockopt(stalled, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	for (int i = 0; i < listeners; i++)
		fd[i] = subscribed("{}");
	json_int_t seq = 0;
	struct timespec from, to;
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (int r = 0; r < rounds; r++) {
		/* Readers who have read all may take their time. */
		if (r == pause_ms)
			usleep(1200000);
		in_loop(raise_many, &flood);
		for (int k = 0; k < each; k++) {
			seq++;
			for (int i = 0; i < listeners; i++) {
				char number[32];
				snprintf(number, sizeof(number), "\"seq\":%lld,", (long long)seq);
				const char *line = hear(fd[i]);
				if (line == NULL || strstr(line, number) == NULL)
					fail_msg("not number %lld: %s", (long long)seq, line);
			}
		}
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	long ms = (to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000;
	print_message("%lld events to %d readers each in %ld ms, %lu turns of other work\n",
		      (long long)seq, listeners, ms, turns - before);
	/* It got the first ones in order, then the reason, then the end. */
	json_t *last = NULL;
	for (json_int_t expected = 1;; expected++) {
		const char *line = hear(stalled);
		if (line == NULL)
			break;
		json_decref(last);
		last = json_loads(line, 0, NULL);
		if (last == NULL)
			fail_msg("half a line: %s", line);
		if (at(last, "error") == NULL)
			assert_int_equal(number_at(last, "params.seq"), expected);
	}
	assert_int_equal(number_at(last, "error.code"), -32002);
	assert_true(json_is_null(at(last, "id")));
	assert_non_null(strstr(text_at(last, "error.data.limit"), "1024 events"));
	json_decref(last);
	close(stalled);
	for (int i = 0; i < listeners; i++)
		close(fd[i]);
	expect_alive();
}

/* Whoever never reads at all goes too, after its last seconds, and leaves nothing behind. */
static void the_deaf_are_forgotten(void **state)
{
	(void)state;
	struct flood flood = {&samples[EVENT_ACQUIRE], 20000};
	int deaf = subscribed("{}");

	make_samples();
	in_loop(raise_many, &flood);
	for (int tries = 0;; tries++) {
		int fd = connected();
		say_text(fd, INFO);
		bool alone = strstr(hear(fd), "\"clients\":1,") != NULL;
		close(fd);
		if (alone)
			break;
		if (tries == 1000)
			fail_msg("it is still connected");
		usleep(10000);
	}
	close(deaf);
}

/* Answers of many kilobytes and events on one connection: every line is whole. */
static void events_stay_out_of_answers(void **state)
{
	(void)state;
	static const char request[] =
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"rpc.discover\"}\n";
	struct flood flood = {&samples[EVENT_ACQUIRE], 20};
	int fd = subscribed("{}"), answers = 0, events = 0, small = 4096;

	make_samples();
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	for (int round = 0; round < 20; round++) {
		say_text(fd, request);
		in_loop(raise_many, &flood);
		say_text(fd, request);
		in_loop(raise_many, &flood);
		for (int i = 0; i < 42; i++) {
			json_t *line = hear_json(fd);
			answers += at(line, "result.openrpc") != NULL;
			if (at(line, "params") != NULL)
				assert_int_equal(number_at(line, "params.seq"), ++events);
			json_decref(line);
		}
	}
	assert_int_equal(answers, 40);
	assert_int_equal(events, 800);
	close(fd);
}

/* A burst that a reader could not have read meanwhile does not cost it its place. */
static void a_burst_is_no_stall(void **state)
{
	(void)state;
	enum { burst = 15000 };
	struct flood flood = {&samples[EVENT_PORT_LINK], burst};
	int fd = subscribed("{}");

	make_samples();
	in_loop(raise_many, &flood);
	for (int i = 1; i <= burst; i++)
		expect_next(fd, "port.link", i);
	close(fd);
}

/* Not all at once, though: what waits for all of them together has a limit. */
static void many_bursts_have_a_limit(void **state)
{
	(void)state;
	enum { clients = 40 };
	struct flood flood = {&samples[EVENT_PORT_LINK], 12000};
	int fd[clients], cut = 0;

	make_samples();
	for (int i = 0; i < clients; i++)
		fd[i] = subscribed("{}");
	in_loop(raise_many, &flood);
	for (int i = 0; i < clients; i++) {
		const char *line;
		int heard = 0;
		while (heard < 12000 && (line = hear(fd[i])) != NULL &&
		       strstr(line, "-32002") == NULL)
			heard++;
		cut += heard < 12000;
		close(fd[i]);
	}
	print_message("%d of %d were cut off\n", cut, clients);
	assert_in_range(cut, 1, clients - 12);
	expect_alive();
	assert_int_equal(socket_control->server->events, 0);
}

/* What a client asks for after it was cut off is not done, and its last line says why. */
static void nothing_is_done_for_one_that_is_cut_off(void **state)
{
	(void)state;
	static const char request[] = "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"tunnel.delete\","
				      "\"params\":{\"name\":\"rome\"}}\n";
	struct flood flood = {&samples[EVENT_ACQUIRE], 20000};
	int fd = subscribed("{}");
	const char *line;
	char last[512] = "";

	make_samples();
	in_loop(raise_many, &flood);
	(void)!send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL);
	while ((line = hear(fd)) != NULL)
		snprintf(last, sizeof(last), "%s", line);
	assert_non_null(strstr(last, "-32002"));
	close(fd);
	done("tunnel.get", "{\"name\":\"rome\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    with_socket(each_event_is_as_the_table_says),
	    with_socket(filters_choose),
	    with_socket(a_stalled_subscriber_is_told_and_others_miss_nothing),
	    with_socket(the_deaf_are_forgotten),
	    with_socket(events_stay_out_of_answers),
	    with_socket(a_burst_is_no_stall),
	    with_socket(many_bursts_have_a_limit),
	    with_socket(nothing_is_done_for_one_that_is_cut_off),
	};

	return socket_main(tests, sizeof(tests) / sizeof(tests[0]));
}
