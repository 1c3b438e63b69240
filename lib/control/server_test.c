/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/testsocket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* How clients are served: lines in pieces, garbage, floods, those who do not read. */

static int start(void **state)
{
	(void)state;
	return socket_start(&(struct control_config){.stall_seconds = 1, .clients_max = 1100});
}

#define with_socket(test) cmocka_unit_test_setup_teardown(test, start, socket_stop)

static void lines_in_any_pieces(void **state)
{
	(void)state;
	int fd = connected();

	for (const char *p = INFO; *p != '\0'; p++) {
		say(fd, p, 1);
		usleep(200);
	}
	assert_non_null(strstr(hear(fd), "\"version\""));
	say_text(fd, INFO INFO "\n \r\n" INFO "{\"jsonrpc\":\"2.0\",\"id\":2,");
	for (int i = 0; i < 3; i++)
		assert_non_null(strstr(hear(fd), "\"version\""));
	say_text(fd, "\"method\":\"gateway.info\"}\r\n");
	assert_non_null(strstr(hear(fd), "\"id\":2}"));
	close(fd);
}

static void a_half_line_ends_with_its_client(void **state)
{
	(void)state;
	int fd = connected();

	say_text(fd,
		 "{\"jsonrpc\":\"2.0\",\"method\":\"tunnel.add\",\"params\":{\"name\":\"half\"");
	shutdown(fd, SHUT_WR);
	expect_code(fd, -32700);
	assert_null(hear(fd));
	close(fd);
	/* A last line without its newline is still a request. */
	fd = connected();
	say(fd, INFO, strlen(INFO) - 1);
	shutdown(fd, SHUT_WR);
	assert_non_null(strstr(hear(fd), "\"version\""));
	assert_null(hear(fd));
	close(fd);
}

static void garbage_is_answered(void **state)
{
	(void)state;
	int fd = connected();
	unsigned int seed = 1;

	say(fd, "\0\0\0\n", 4);
	expect_code(fd, -32700);
	for (int i = 0; i < 500; i++) {
		char line[256];
		for (size_t k = 0; k < sizeof(line); k++) {
			line[k] = (char)rand_r(&seed);
			if (line[k] == '\n')
				line[k] = 'x';
		}
		line[0] = 'g';
		line[255] = '\n';
		say(fd, line, sizeof(line));
		expect_code(fd, -32700);
	}
	say_text(fd, INFO);
	assert_non_null(strstr(hear(fd), "\"version\""));
	close(fd);
}

static void a_line_may_be_long_but_not_longer(void **state)
{
	(void)state;
	char *line = malloc(CONTROL_LINE_MAX + 2);

	memset(line, ' ', CONTROL_LINE_MAX);
	memcpy(line, INFO, strlen(INFO) - 1);
	line[CONTROL_LINE_MAX] = '\n';
	int fd = connected();
	say(fd, line, CONTROL_LINE_MAX + 1);
	assert_non_null(strstr(hear(fd), "\"version\""));
	line[CONTROL_LINE_MAX] = ' ';
	line[CONTROL_LINE_MAX + 1] = '\n';
	say(fd, line, CONTROL_LINE_MAX + 2);
	expect_code(fd, -32000);
	assert_null(hear(fd));
	close(fd);
	/* Without any end. */
	fd = connected();
	ssize_t n;
	size_t sent = 0;
	while ((n = send(fd, line, 65536, MSG_NOSIGNAL)) > 0 && sent < 64U << 20)
		sent += (size_t)n;
	assert_true(sent < 4U << 20);
	expect_code(fd, -32000);
	close(fd);
	free(line);
	expect_alive();
}

static void all_unfinished_lines_have_a_limit(void **state)
{
	(void)state;
	enum { clients = 100 };
	char *line = malloc(1000000);
	int fd[clients], refused = 0;

	memset(line, 'x', 1000000);
	for (int i = 0; i < clients; i++) {
		fd[i] = connected();
		fcntl(fd[i], F_SETFL, O_NONBLOCK);
		size_t sent = 0;
		ssize_t n;
		for (int tries = 0; tries < 2000 && sent < 1000000; tries++) {
			n = send(fd[i], line, 1000000 - sent, MSG_NOSIGNAL);
			if (n > 0)
				sent += (size_t)n;
			else if (errno != EAGAIN)
				break;
			else
				usleep(1000);
		}
		refused += sent < 1000000;
	}
	assert_in_range(refused, clients - 66, clients - 55);
	for (int i = 0; i < clients; i++)
		close(fd[i]);
	free(line);
	expect_alive();
}

/* Who does not read is not served, and after its time is cut off. */
static void a_slow_reader_is_cut_off(void **state)
{
	(void)state;
	static const char request[] =
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"rpc.discover\"}\n";
	int fd = connected(), small = 4096;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	fcntl(fd, F_SETFL, O_NONBLOCK);
	time_t begin = time(NULL);
	size_t sent = 0;
	for (;;) {
		ssize_t n = send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN)
			break;
		if (n > 0)
			sent += (size_t)n;
		else
			usleep(1000);
		if (time(NULL) - begin > 10)
			fail_msg("still connected after 10 seconds and %zu bytes", sent);
	}
	close(fd);
	expect_alive();
}

/* One that wakes up in time reads whole lines, and as the last one why it is cut off. */
static void a_slow_reader_is_told_why(void **state)
{
	(void)state;
	static const char request[] =
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"rpc.discover\"}\n";
	int fd = connected(), small = 4096;
	json_t *last = NULL;
	const char *line;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	for (int i = 0; i < 100; i++)
		say_text(fd, request);
	/* Its second of patience passes. */
	usleep(2500000);
	while ((line = hear(fd)) != NULL) {
		json_decref(last);
		last = json_loads(line, 0, NULL);
		if (last == NULL)
			fail_msg("half a line: %.100s", line);
	}
	assert_int_equal(number_at(last, "error.code"), -32002);
	assert_true(json_is_null(at(last, "id")));
	assert_string_equal(text_at(last, "error.data.limit"), "1 seconds");
	json_decref(last);
	close(fd);
	expect_alive();
}

/* Batches whose clients leave at every place of the way. */
static void clients_leave_in_the_middle(void **state)
{
	(void)state;
	enum { sas = 200 };
	char *line = malloc(CONTROL_LINE_MAX);
	size_t len = 0;

	for (int i = 0; i < sas; i++)
		len += (size_t)sprintf(line + len,
				       "%s{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"spi.alloc\"}",
				       i == 0 ? "[" : ",", i);
	len += (size_t)sprintf(line + len, "]\n");
	for (size_t cut = 0; cut <= len; cut += len / 40) {
		int fd = connected();
		say(fd, line, cut);
		if (cut % 2 == 0)
			shutdown(fd, SHUT_WR);
		close(fd);
	}
	int fd = connected();
	say(fd, line, len);
	json_t *answer = json_loads(hear(fd), 0, NULL);
	assert_int_equal(json_array_size(answer), sas);
	json_decref(answer);
	close(fd);
	free(line);
	expect_alive();
}

static void a_hundred_thousand_connects(void **state)
{
	(void)state;
	enum { connects = 100000 };
	struct timespec from, to;
	unsigned long before = turns;
	unsigned int refused = 0;

	clock_gettime(CLOCK_MONOTONIC, &from);
	for (int i = 0; i < connects; i++) {
		int one = connected();
		if (i % 4 == 0)
			(void)!send(one, INFO, sizeof(INFO) - 1, MSG_NOSIGNAL);
		if (i % 4 == 1)
			(void)!send(one, "{\"jsonrpc\":", 11, MSG_NOSIGNAL);
		if (i % 1000 == 0) {
			say_text(one, INFO);
			const char *line = hear(one);
			refused += line == NULL || strstr(line, "\"version\"") == NULL;
		}
		close(one);
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	long ms = (to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000;
	print_message(
	    "%d connects in %ld ms, %lu turns of other work, %u of 100 were turned away\n",
	    connects, ms, turns - before, refused);
	assert_true(turns - before > (unsigned long)ms / 50);
	for (int tries = 0;; tries++) {
		int one = connected();
		say_text(one, INFO);
		bool alone = strstr(hear(one), "\"clients\":1,") != NULL;
		close(one);
		if (alone)
			break;
		if (tries == 500)
			fail_msg("clients that are gone are still counted");
		usleep(10000);
	}
}

/* The loop's other work goes on under a flood, and so do other clients. */
static void a_flood_starves_nobody(void **state)
{
	(void)state;
	enum { clients = 20 };
	char *flood = malloc(100 * (sizeof(INFO) - 1));
	int fd[clients];

	for (int i = 0; i < 100; i++)
		memcpy(flood + i * (sizeof(INFO) - 1), INFO, sizeof(INFO) - 1);
	for (int i = 0; i < clients; i++) {
		fd[i] = connected();
		fcntl(fd[i], F_SETFL, O_NONBLOCK);
	}
	unsigned long before = turns;
	struct timespec from, to;
	clock_gettime(CLOCK_MONOTONIC, &from);
	long worst = 0;
	for (int round = 0; round < 100; round++) {
		static char sink[1 << 20];
		for (int i = 0; i < clients; i++) {
			(void)!send(fd[i], flood, 100 * (sizeof(INFO) - 1), MSG_NOSIGNAL);
			while (recv(fd[i], sink, sizeof(sink), 0) > 0)
				;
		}
		if (round % 10 == 0) {
			struct timespec a, b;
			clock_gettime(CLOCK_MONOTONIC, &a);
			expect_alive();
			clock_gettime(CLOCK_MONOTONIC, &b);
			long ms = (b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000;
			worst = ms > worst ? ms : worst;
		}
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	long ms = (to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000;
	print_message("%ld ms, %lu turns of other work, another client waited %ld ms at most\n", ms,
		      turns - before, worst);
	/* A turn is 4 ms of serving at most; the machine may be slow and busy. */
	assert_true(turns - before > (unsigned long)ms / 50);
	assert_true(worst < 1000);
	for (int i = 0; i < clients; i++)
		close(fd[i]);
	free(flood);
}

static void a_thousand_clients(void **state)
{
	(void)state;
	enum { clients = 1000 };
	static int fd[clients];

	for (int i = 0; i < clients; i++)
		fd[i] = connected();
	for (int i = 0; i < clients; i++)
		say_text(fd[i], INFO);
	for (int i = 0; i < clients; i++)
		assert_non_null(strstr(hear(fd[i]), "\"version\""));
	/* By now all have been let in. */
	say_text(fd[0], INFO);
	assert_non_null(strstr(hear(fd[0]), "\"clients\":1000,"));
	for (int i = 0; i < clients; i++)
		close(fd[i]);
	/* And ten thousand that come and go, with and without a word. */
	for (int i = 0; i < 10000; i++) {
		int one = connected();
		if (i % 3 == 0)
			(void)!send(one, INFO, 20, MSG_NOSIGNAL);
		if (i % 3 == 1)
			(void)!send(one, INFO, sizeof(INFO) - 1, MSG_NOSIGNAL);
		close(one);
	}
	/* Every one of them is forgotten again. */
	for (int tries = 0;; tries++) {
		int one = connected();
		say_text(one, INFO);
		bool alone = strstr(hear(one), "\"clients\":1,") != NULL;
		close(one);
		if (alone)
			break;
		if (tries == 500)
			fail_msg("clients that are gone are still counted");
		usleep(10000);
	}
}

/* A batch longer than a slice: other clients are served in between, answers are in order. */
static void a_long_batch_lets_others_through(void **state)
{
	(void)state;
	char *line = malloc(CONTROL_LINE_MAX);
	size_t len = 0;
	int fd = connected();

	for (int i = 0; i < CONTROL_BATCH_MAX; i++)
		len += (size_t)sprintf(line + len,
				       "%s{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"policy.add\","
				       "\"params\":{\"name\":\"p%d\",\"action\":\"discard\","
				       "\"selector\":{\"remote\":\"10.%d.%d.0/24\"}}}",
				       i == 0 ? "[" : ",", i, i, i / 256, i % 256);
	len += (size_t)sprintf(line + len, "]\n");
	say(fd, line, len);
	expect_alive();
	json_t *answer = json_loads(hear(fd), 0, NULL);
	assert_int_equal(json_array_size(answer), CONTROL_BATCH_MAX);
	for (size_t i = 0; i < CONTROL_BATCH_MAX; i++) {
		assert_int_equal(number_at(json_array_get(answer, i), "id"), i);
		assert_non_null(at(json_array_get(answer, i), "result"));
	}
	json_decref(answer);
	close(fd);
	/* A client that leaves in the middle of its batch. */
	fd = connected();
	say(fd, line, len);
	close(fd);
	expect_alive();
	free(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    with_socket(lines_in_any_pieces),
	    with_socket(a_half_line_ends_with_its_client),
	    with_socket(garbage_is_answered),
	    with_socket(a_line_may_be_long_but_not_longer),
	    with_socket(all_unfinished_lines_have_a_limit),
	    with_socket(a_slow_reader_is_cut_off),
	    with_socket(a_slow_reader_is_told_why),
	    with_socket(clients_leave_in_the_middle),
	    with_socket(a_hundred_thousand_connects),
	    with_socket(a_flood_starves_nobody),
	    with_socket(a_thousand_clients),
	    with_socket(a_long_batch_lets_others_through),
	};

	return socket_main(tests, sizeof(tests) / sizeof(tests[0]));
}
