/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/testbed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/intake.h"
#include "control/wipe.h"
#include "report/log.h"

/* Keys in no answer, no error, no log line, and not left behind in memory. */

static char log_name[] = "/tmp/control-keys-XXXXXX";

/* Any 16 digits of either key, in either case. */
static const char *find_key(const char *text)
{
	char part[17];

	for (size_t i = 0; i + 16 <= strlen(KEY_A); i++) {
		snprintf(part, sizeof(part), "%.16s", &KEY_A[i]);
		if (strcasestr(text, part) != NULL)
			return strcasestr(text, part);
	}
	return NULL;
}

static void send_line(const char *line)
{
	char *text = ask_text(CONTROL_ALL, line, strlen(line));

	if (text == NULL)
		return;
	const char *found = find_key(text);
	if (found != NULL)
		fail_msg("%s\nis answered with the key: %s", line, text);
	free(text);
}

#define MANY(rows)                                                                                \
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"sa.add_many\",\"params\":{\"template\":{"     \
	"\"direction\":\"in\",\"tunnel\":\"paris\"},\"columns\":[\"spi\",\"key\"],\"rows\":" rows \
	"}}"
#define ADD(params) "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"sa.add\",\"params\":" params "}"

static void no_answer_has_a_key(void **state)
{
	(void)state;
	static const char *const lines[] = {
	    ADD("{\"direction\":\"in\",\"spi\":4096,\"tunnel\":\"paris\",\"key\":\"" KEY_A "\"}"),
	    /* Again, in use, with a digit too much, with one that is none, of a wrong size. */
	    ADD("{\"direction\":\"in\",\"spi\":4096,\"tunnel\":\"paris\",\"key\":\"" KEY_A "\"}"),
	    ADD("{\"direction\":\"in\",\"spi\":4097,\"tunnel\":\"paris\",\"key\":\"" KEY_A "\"}"),
	    ADD("{\"direction\":\"in\",\"spi\":4097,\"tunnel\":\"paris\",\"key\":\"" KEY_A "0\"}"),
	    ADD("{\"direction\":\"in\",\"spi\":4097,\"tunnel\":\"paris\",\"key\":\"x" KEY_A "\"}"),
	    ADD("{\"direction\":\"in\",\"spi\":4097,\"tunnel\":\"paris\",\"key\":\"" KEY_A
		"\",\"algorithm\":\"aes128gcm16\"}"),
	    ADD("{\"direction\":\"in\",\"spi\":4097,\"tunnel\":\"paris\",\"key\":[\"" KEY_A "\"]}"),
	    ADD("{\"direction\":\"in\",\"spi\":4097,\"tunnel\":\"paris\",\"key\":{\"a\":\"" KEY_A
		"\"}}"),
	    /* In rows: twice, too long, in another column, in another place. */
	    MANY("[[4096,\"" KEY_A "\"],[4097,\"" KEY_A "\"]]"),
	    MANY("[[4096,\"" KEY_A "0\"]]"),
	    MANY("[[\"" KEY_A "\",4096]]"),
	    MANY("[[4096,[\"" KEY_A "\"]]]"),
	    MANY("[[4096,{\"" KEY_A "\":1}]]"),
	    MANY("[\"" KEY_A "\"]"),
	    MANY("\"" KEY_A "\""),
	    /* In the wrong place. */
	    ADD("[\"in\",4096,\"" KEY_A "\",\"paris\"]"),
	    ADD("[\"" KEY_A "\"]"),
	    ADD("[\"in\",\"" KEY_A "\"]"),
	    ADD("{\"" KEY_A "\":1}"),
	    ADD("{\"direction\":\"in\",\"spi\":4097,\"tunnel\":\"paris\",\"algorithm\":\"" KEY_A
		"\"}"),
	    ADD("{\"direction\":\"in\",\"spi\":4097,\"tunnel\":\"paris\",\"remote\":\"" KEY_A
		"\"}"),
	    ADD("{\"selectors\":[{\"" KEY_A "\":1}]}"),
	    ADD("{\"selectors\":[{\"local\":\"" KEY_A "\"}]}"),
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"" KEY_A "\"}",
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"sa.add\",\"" KEY_A "\":1}",
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"sa.list\",\"params\":{\"after\":\"" KEY_A
	    "\"}}",
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tunnel.get\",\"params\":["
	    "\"a1b2c3d4e5f607182"
	    "93a4b5c6d7e8f90a1b2c3d4\"]}",
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"policy.get\",\"params\":["
	    "\"a1b2c3d4e5f607182"
	    "93a4b5c6d7e8f90a1b2c3d4\"]}",
	    /* Broken JSON. */
	    "{\"jsonrpc\":\"2.0\",\"key\":\"" KEY_A,
	    "{\"jsonrpc\":\"2.0\",\"key\":\"" KEY_A "\" x",
	    "{\"jsonrpc\":\"2.0\",\"key\":" KEY_A "}",
	    "{\"jsonrpc\":\"2.0\",\"key\":\"" KEY_A "\",\"key\":\"" KEY_A "\"}",
	    KEY_A,
	    /* What shows SAs. */
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"sa.get\",\"params\":{\"direction\":\"in\","
	    "\"spi\":4096}}",
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"sa.list\"}",
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tunnel.list\"}",
	};
	int saved = dup(STDERR_FILENO);
	int fd = mkstemp(log_name);

	assert_true(fd >= 0);
	log_set_level(LOG_DEBUG);
	dup2(fd, STDERR_FILENO);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		send_line(lines[i]);
	log_info("the end");
	dup2(saved, STDERR_FILENO);
	close(saved);
	static char text[65536];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	assert_true(n > 0);
	text[n] = '\0';
	assert_non_null(strstr(text, "the end"));
	assert_null(find_key(text));
	close(fd);
	unlink(log_name);
	assert_int_equal(sa_count(testbed.g.sadb, SA_INBOUND), 1);
}

/* The next holder of freed memory finds nothing of what stood there. */
static void freed_memory_is_wiped(void **state)
{
	(void)state;
	for (size_t size = 24; size < 100000; size *= 3) {
		char *p = wipe_malloc(size);
		memset(p, 'k', size);
		wipe_free(p);
		char *again = malloc(size);
		size_t left = 0;
		/* malloc's own links may stand in the first 16 bytes. */
		for (size_t i = 16; i < size; i++)
			left += again[i] == 'k';
		if (again == p)
			assert_int_equal(left, 0);
		free(again);
	}
	wipe_free(NULL);
}

static int socketpair_write(int fds[2], const char *text, size_t len)
{
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0)
		return -1;
	return write(fds[0], text, len) == (ssize_t)len ? 0 : -1;
}

/* Walk the heap: what a served request leaves there. */
static size_t count_in_heap(const char *wanted, size_t len)
{
	size_t found = 0;
	char line[256];
	FILE *maps = fopen("/proc/self/maps", "re");

	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps) != NULL) {
		unsigned long from, to;
		char mode[5];
		if (strstr(line, "[heap]") == NULL ||
		    sscanf(line, "%lx-%lx %4s", &from, &to, mode) != 3)
			continue;
		const char *p = (const char *)from, *end = (const char *)to;
		while ((p = memmem(p, (size_t)(end - p), wanted, len)) != NULL) {
			found++;
			p++;
		}
	}
	fclose(maps);
	return found;
}

/* The request is `head`, a key, `tail`. */
static void expect_no_key_left(const char *head, const char *tail, const char *answered)
{
	char *digits = calloc(1, 73);
	int pipefd[2];
	struct intake in = {0};
	size_t budget = 1 << 20, len;
	const char *text;

	/* Made here, so that the program's text does not hold it. */
	unsigned int seed = 7;
	for (int i = 0; i < 72; i++)
		digits[i] = "0123456789abcdef"[rand_r(&seed) >> 8 & 15];
	char needle[32]; /* on the stack, where nobody looks */
	memcpy(needle, digits + 20, sizeof(needle));
	char *line = NULL;
	int n = asprintf(&line, "%s%s%s\n", head, digits, tail);
	assert_true(n > 0 && socketpair_write(pipefd, line, (size_t)n) == 0);
	explicit_bzero(line, (size_t)n);
	free(line);
	explicit_bzero(digits, 73);
	free(digits);
	assert_int_equal(count_in_heap(needle, sizeof(needle)), 0);
	assert_int_equal(intake_read(&in, pipefd[1], &budget), INTAKE_MORE);
	assert_int_equal(count_in_heap(needle, sizeof(needle)), 1);
	assert_true(intake_line(&in, false, &text, &len));
	char *answer;
	assert_true(control_handle_line(testbed.control, CONTROL_ALL, text, len, &answer) > 0);
	assert_non_null(strstr(answer, answered));
	free(answer);
	intake_done(&in);
	assert_int_equal(count_in_heap(needle, sizeof(needle)), 0);
	intake_free(&in, &budget);
	assert_int_equal(budget, 1 << 20);
	close(pipefd[0]);
	close(pipefd[1]);
}

static void the_heap_has_no_key_after_a_request(void **state)
{
	(void)state;
#ifdef __SANITIZE_ADDRESS__
	/* Its heap is elsewhere, and keeps what was freed. */
	skip();
#endif
	expect_no_key_left("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"sa.add\",\"params\":{"
			   "\"direction\":\"in\",\"spi\":4096,\"tunnel\":\"paris\",\"key\":\"",
			   "\"}}", "\"created\":true");
	done("sa.flush", "{}");
	expect_no_key_left("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"sa.add_many\",\"params\":{"
			   "\"template\":{\"direction\":\"in\",\"tunnel\":\"paris\"},"
			   "\"columns\":[\"spi\",\"key\"],\"rows\":[[4097,\"",
			   "\"]]}}", "\"created\":1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    with_gateway(no_answer_has_a_key),
	    cmocka_unit_test(freed_memory_is_wiped),
	    with_gateway(the_heap_has_no_key_after_a_request),
	};

	if (testbed_eal() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
