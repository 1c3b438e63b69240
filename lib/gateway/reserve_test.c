/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/reserve.h"

/* No number of a key is ever handed out twice, whatever happens to the process. */

#define END (UINT64_MAX - 1)

static char directory[64];
static const uint8_t key_a[36] = {1, 2, 3}, key_b[36] = {1, 2, 4};

static int setup(void **state)
{
	(void)state;
	snprintf(directory, sizeof(directory), "/tmp/espalier-reserve-XXXXXX");
	return mkdtemp(directory) != NULL ? 0 : -1;
}

/* Calls visit for every file but the lock. */
static int each_file(int (*visit)(const char *path))
{
	DIR *d = opendir(directory);
	struct dirent *e;
	int n = 0;

	while ((e = readdir(d)) != NULL) {
		char path[400];
		if (e->d_name[0] == '.' || strcmp(e->d_name, "lock") == 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", directory, e->d_name);
		n++;
		if (visit != NULL && visit(path) != 0)
			break;
	}
	closedir(d);
	return n;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", directory);
	return system(command);
}

static struct reserve *open_good(void)
{
	struct fault fault = {0};
	struct reserve *r = reserve_open(directory, &fault);

	if (r == NULL)
		fail_msg("%s: %s", fault.where, fault.what);
	return r;
}

/* One life of a daemon: the first number it may use; the last in *limit. */
static uint64_t live(const uint8_t *key, uint64_t *limit)
{
	struct reserve *r = open_good();
	struct reserve_block *b;
	struct fault fault = {0};
	uint64_t first;

	if (reserve_take(r, key, 36, END, &first, limit, &b, &fault) != 0)
		fail_msg("%s: %s", fault.where, fault.what);
	reserve_block_free(b);
	reserve_close(r);
	return first;
}

static void test_blocks_follow_each_other(void **state)
{
	uint64_t limit, before = 0;

	(void)state;
	for (int i = 0; i < 5; i++) {
		uint64_t first = live(key_a, &limit);
		assert_int_equal(first, before + 1);
		assert_int_equal(limit, before + RESERVE_BLOCK);
		before = limit;
	}
	assert_int_equal(live(key_b, &limit), 1);
	assert_int_equal(each_file(NULL), 2);
}

static void test_more(void **state)
{
	struct reserve *r = open_good();
	struct reserve_block *b, *again;
	struct fault fault = {0};
	uint64_t first, limit;

	(void)state;
	assert_int_equal(reserve_take(r, key_a, 36, END, &first, &limit, &b, &fault), 0);
	assert_int_equal(reserve_more(b, 1000, &limit, &fault), 0);
	assert_int_equal(limit, RESERVE_BLOCK + 1000);
	/* The same key a second time in one process. */
	assert_int_equal(reserve_take(r, key_a, 36, END, &first, &limit, &again, &fault), -EEXIST);
	reserve_block_free(b);
	reserve_close(r);
	assert_int_equal(live(key_a, &limit), RESERVE_BLOCK + 1001);
}

static void test_end_of_space(void **state)
{
	struct reserve *r = open_good();
	struct reserve_block *b;
	struct fault fault = {0};
	uint64_t first, limit;

	(void)state;
	for (uint64_t expected = 1; expected <= UINT32_MAX; expected += RESERVE_BLOCK) {
		assert_int_equal(reserve_take(r, key_a, 36, UINT32_MAX, &first, &limit, &b, &fault),
				 0);
		assert_int_equal(first, expected);
		reserve_block_free(b);
	}
	assert_int_equal(limit, UINT32_MAX);
	assert_int_equal(reserve_take(r, key_a, 36, UINT32_MAX, &first, &limit, &b, &fault),
			 -ENOSPC);
	assert_non_null(strstr(fault.what, "used up"));
	reserve_close(r);
}

static void test_two_daemons(void **state)
{
	struct reserve *r = open_good();
	struct fault fault = {0};

	(void)state;
	assert_null(reserve_open(directory, &fault));
	assert_int_equal(fault.err, EBUSY);
	assert_string_equal(fault.where, "state_directory");
	reserve_close(r);
	reserve_close(open_good());
}

static char one_file[400];

static int remember(const char *path)
{
	snprintf(one_file, sizeof(one_file), "%s", path);
	return 0;
}

static void overwrite(const char *text, size_t len)
{
	int fd = open(one_file, O_WRONLY | O_TRUNC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	close(fd);
}

static void expect_damaged(void)
{
	struct reserve *r = open_good();
	struct reserve_block *b;
	struct fault fault = {0};
	uint64_t first, limit;

	assert_int_equal(reserve_take(r, key_a, 36, END, &first, &limit, &b, &fault), -EBADMSG);
	assert_string_equal(fault.where, "state_directory");
	assert_non_null(strstr(fault.what, "new keys"));
	reserve_close(r);
}

static void test_damage(void **state)
{
	char text[256], changed[256];
	uint64_t limit;

	(void)state;
	live(key_a, &limit);
	each_file(remember);
	int fd = open(one_file, O_RDONLY);
	ssize_t len = read(fd, text, sizeof(text));
	close(fd);
	assert_in_range(len, 50, 200);
	for (ssize_t bit = 0; bit < len * 8; bit++) {
		memcpy(changed, text, (size_t)len);
		changed[bit / 8] ^= (char)(1 << bit % 8);
		overwrite(changed, (size_t)len);
		expect_damaged();
	}
	for (ssize_t short_by = 1; short_by <= len; short_by++) {
		overwrite(text, (size_t)(len - short_by));
		expect_damaged();
	}
	text[len] = '\n';
	overwrite(text, (size_t)len + 1);
	expect_damaged();
}

/* The file of one key under the name of another: a restore gone wrong. */
static void test_file_of_another_key(void **state)
{
	char other[400];
	uint64_t limit;

	(void)state;
	live(key_a, &limit);
	each_file(remember);
	snprintf(other, sizeof(other), "%s", one_file);
	live(key_b, &limit);
	DIR *d = opendir(directory);
	struct dirent *e;
	while ((e = readdir(d)) != NULL) {
		snprintf(one_file, sizeof(one_file), "%s/%s", directory, e->d_name);
		if (strlen(e->d_name) == 32 && strcmp(one_file, other) != 0)
			assert_int_equal(rename(one_file, other), 0);
	}
	closedir(d);
	expect_damaged();
}

static void test_name_is_not_the_key(void **state)
{
	uint64_t limit;

	(void)state;
	live(key_a, &limit);
	each_file(remember);
	assert_null(strstr(one_file, "010203"));
	struct stat st;
	assert_int_equal(stat(one_file, &st), 0);
	assert_int_equal(st.st_mode & 077, 0);
}

/* A child that dies without any goodbye at a random moment of reserving. */
static void test_killed(void **state)
{
	uint64_t limit, highest = 0;

	(void)state;
	for (int round = 0; round < 40; round++) {
		int pipes[2];
		assert_int_equal(pipe(pipes), 0);
		pid_t child = fork();
		if (child == 0) {
			struct fault fault;
			struct reserve *r = reserve_open(directory, &fault);
			struct reserve_block *b;
			uint64_t first, top;
			if (r == NULL ||
			    reserve_take(r, key_a, 36, END, &first, &top, &b, &fault) != 0)
				_exit(1);
			do {
				if (write(pipes[1], &top, sizeof(top)) != sizeof(top))
					_exit(1);
			} while (reserve_more(b, 1, &top, &fault) == 0);
			_exit(1);
		}
		close(pipes[1]);
		usleep(1000 + (useconds_t)(rand() % 4000));
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		/* What the child was told it may use. */
		while (read(pipes[0], &limit, sizeof(limit)) == sizeof(limit))
			highest = limit > highest ? limit : highest;
		close(pipes[0]);
		uint64_t first = live(key_a, &limit);
		assert_true(first > highest);
		highest = limit;
	}
}

/* The disk takes nothing: the caller gets no number, and nothing is forgotten. */
static void test_disk_full(void **state)
{
	struct rlimit before, none;
	struct fault fault = {0};
	struct reserve_block *b = NULL;
	uint64_t first, limit, more;

	(void)state;
	live(key_a, &limit);
	struct reserve *r = open_good();
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	none = before;
	none.rlim_cur = 10;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	int err = reserve_take(r, key_a, 36, END, &first, &more, &b, &fault);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(err, -EFBIG);
	assert_null(b);
	reserve_close(r);
	assert_int_equal(live(key_a, &more), limit + 1);
}

static void test_no_directory(void **state)
{
	struct fault fault = {0};

	(void)state;
	assert_null(reserve_open("/proc/nothing/here", &fault));
	assert_int_equal(fault.err, ENOENT);
	assert_null(reserve_open("/dev/null", &fault));
	assert_int_equal(fault.err, ENOTDIR);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_blocks_follow_each_other),
	    TEST(test_more),
	    TEST(test_end_of_space),
	    TEST(test_two_daemons),
	    TEST(test_damage),
	    TEST(test_file_of_another_key),
	    TEST(test_name_is_not_the_key),
	    TEST(test_killed),
	    TEST(test_disk_full),
	    TEST(test_no_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
