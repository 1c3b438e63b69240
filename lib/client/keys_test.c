/* SPDX-License-Identifier: BSD-3-Clause */
#include "client/espalier.h"

#include <setjmp.h>
#include <stdarg.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "client/fake.h"

#define SOON 5000
#define KEY 36

/* The gateway is a process of its own, so that its copies of the key are not in this one. */
static void serve_ok(struct fake_connection *c)
{
	json_t *line;

	while ((line = fake_request(c)) != NULL) {
		if (json_is_array(line))
			fake_line(c, json_pack("[o]", fake_answer_to(json_array_get(line, 0),
								     json_object())));
		else
			fake_answer(c, line, json_object());
		json_decref(line);
	}
}

static char path[64];
static pid_t gateway;

static int start_gateway(void **state)
{
	int ready[2];
	char byte;

	(void)state;
	snprintf(path, sizeof(path), "/tmp/espalier-client-keys.%d", (int)getpid());
	if (pipe(ready) != 0 || (gateway = fork()) < 0)
		return -1;
	if (gateway == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		fake_start_at(path, serve_ok, NULL);
		if (write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	bool ok = read(ready[0], &byte, 1) == 1;
	close(ready[0]);
	close(ready[1]);
	return ok ? 0 : -1;
}

static int stop_gateway(void **state)
{
	(void)state;
	kill(gateway, SIGKILL);
	waitpid(gateway, NULL, 0);
	unlink(path);
	return 0;
}

/* The key's byte i, and its two digits; never next to each other in memory. */
static uint8_t key_byte(unsigned int i)
{
	return (uint8_t)(i * 151 + 89);
}

static char digit(unsigned int i)
{
	unsigned int half = i % 2 == 0 ? key_byte(i / 2) >> 4 : key_byte(i / 2) & 15;

	return "0123456789abcdef"[half];
}

/* 16 bytes of the key, or 16 digits of it, from any place in it on. */
static bool is_key(const uint8_t *at)
{
	for (unsigned int from = 0; from + 16 <= 2 * KEY; from++) {
		unsigned int i = 0;
		while (i < 16 && at[i] == (uint8_t)digit(from + i))
			i++;
		if (i == 16)
			return true;
	}
	for (unsigned int from = 0; from + 16 <= KEY; from++) {
		unsigned int i = 0;
		while (i < 16 && at[i] == key_byte(from + i))
			i++;
		if (i == 16)
			return true;
	}
	return false;
}

/* Pieces of the key in all memory of this process that can be written. */
static unsigned int pieces_of_key(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	int mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	static uint8_t page[4096 + 16];
	unsigned int found = 0;
	unsigned long from, to;
	char line[512], mode[8];

	assert_true(maps != NULL && mem >= 0);
	while (fgets(line, sizeof(line), maps) != NULL) {
		if (sscanf(line, "%lx-%lx %7s", &from, &to, mode) != 3 || mode[1] != 'w')
			continue;
		for (; from < to; from += 4096) {
			/* Not what this function itself has just read. */
			bool own = from < (unsigned long)page + sizeof(page) &&
				   from + 4096 + 16 > (unsigned long)page;
			ssize_t n = own ? 0 : pread(mem, page, sizeof(page), (off_t)from);
			for (ssize_t i = 0; i + 16 <= n && i < 4096; i++)
				found += is_key(page + i);
		}
	}
	explicit_bzero(page, sizeof(page));
	close(mem);
	fclose(maps);
	return found;
}

/* Not inlined: what it leaves on the stack is part of the question. */
static __attribute__((noinline)) void add_sa(struct espalier *e)
{
	uint8_t key[KEY];
	struct espalier_sa sa = {.direction = ESPALIER_IN,
				 .spi = 256,
				 .tunnel = "hq",
				 .key = key,
				 .key_len = sizeof(key)};
	struct espalier_error error;

	for (unsigned int i = 0; i < KEY; i++)
		key[i] = key_byte(i);
	assert_int_equal(espalier_sa_add(e, &sa, SOON, &error), 0);
	explicit_bzero(key, sizeof(key));
}

static void the_search_finds_a_key(void **state)
{
	uint8_t key[KEY];

	(void)state;
	assert_int_equal(pieces_of_key(), 0);
	for (unsigned int i = 0; i < KEY; i++)
		key[i] = key_byte(i);
	__asm__ volatile("" : : "r"(key) : "memory");
	assert_true(pieces_of_key() > 0);
	explicit_bzero(key, sizeof(key));
	assert_int_equal(pieces_of_key(), 0);
}

static void sa_add_leaves_no_key(void **state)
{
	struct espalier *e = espalier_open(path);

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		add_sa(e);
		assert_int_equal(pieces_of_key(), 0);
	}
	espalier_close(e);
	assert_int_equal(pieces_of_key(), 0);
}

/* A request that is given up, half sent or not at all, is wiped no less. */
static void no_key_is_left_behind_by_a_timeout(void **state)
{
	struct espalier *e = espalier_open(path);

	(void)state;
	add_sa(e);
	kill(gateway, SIGSTOP);
	for (unsigned int i = 0; i < 3; i++) {
		uint8_t key[KEY];
		/* Longer than the socket's buffer, so that some of it stays here. */
		size_t len = i == 1 ? 400000 : 0;
		char *name = calloc(1, len + 3);
		memcpy(name, "hq", 2);
		memset(name + 2, 'x', len);
		struct espalier_sa sa = {.spi = 256, .tunnel = name, .key = key, .key_len = KEY};
		for (unsigned int k = 0; k < KEY; k++)
			key[k] = key_byte(k);
		assert_int_equal(espalier_sa_add(e, &sa, 20, NULL), ESPALIER_TIMEOUT);
		explicit_bzero(key, sizeof(key));
		free(name);
		/* The half-sent one must be finished: it is there until it is. */
		if (i == 0)
			assert_int_equal(pieces_of_key(), 0);
	}
	assert_true(pieces_of_key() > 0);
	kill(gateway, SIGCONT);
	add_sa(e);
	assert_int_equal(pieces_of_key(), 0);
	espalier_close(e);
	assert_int_equal(pieces_of_key(), 0);
}

/* With espalier_wipe_json(), the same for keys in JSON values of the program's own. */
static void wipe_json_wipes_json(void **state)
{
	struct espalier *e = espalier_open(path);
	char text[2 * KEY + 1] = "";
	struct espalier_error error;

	(void)state;
	espalier_wipe_json();
	for (unsigned int i = 0; i < 2 * KEY; i++)
		text[i] = digit(i);
	json_t *params = json_pack("[{s:s}]", "key", text), *results;
	explicit_bzero(text, sizeof(text));
	assert_int_equal(espalier_call(e, "sa.add", json_array_get(params, 0), SOON, NULL, &error),
			 0);
	assert_int_equal(espalier_call_many(e, "sa.add", params, SOON, &results, &error), 0);
	json_decref(results);
	assert_true(pieces_of_key() > 0);
	json_decref(params);
	assert_int_equal(pieces_of_key(), 0);
	espalier_close(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_search_finds_a_key),
	    cmocka_unit_test(sa_add_leaves_no_key),
	    cmocka_unit_test(no_key_is_left_behind_by_a_timeout),
	    cmocka_unit_test(wipe_json_wipes_json),
	};

	return cmocka_run_group_tests(tests, start_gateway, stop_gateway);
}
