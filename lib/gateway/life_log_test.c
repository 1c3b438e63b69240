/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/life_log.h"

static char directory[] = "/tmp/espalier-life-XXXXXX";
static char path[64];

static struct life_log *open_log(uint64_t size, unsigned int keep)
{
	struct life_log_config config = {path, size, keep};
	struct fault fault = {0};
	struct life_log *l = life_log_open(&config, &fault);

	if (l == NULL)
		fail_msg("%s: %s", fault.where, fault.what);
	return l;
}

static struct tunnel tunnel_named(const char *name)
{
	struct tunnel t = {0};

	snprintf(t.spec.name, sizeof(t.spec.name), "%s", name);
	t.spec.remote = (struct ip_addr){.family = 4, .bytes = {192, 0, 2, 1}};
	return t;
}

static void reset_of(struct life_log *l, const char *name, const char *reason)
{
	struct tunnel t = tunnel_named(name);
	struct event e = {
	    .kind = EVENT_TUNNEL_RESET, .tunnel = &t, .reason = reason, .actor = "test (pid 1)"};

	life_log_event(l, &e);
}

struct heard {
	unsigned int count;
	json_t *line[64];
};

static void hear(void *arg, const char *text, size_t len)
{
	struct heard *h = arg;

	h->line[h->count] = json_loadb(text, len, 0, NULL);
	assert_non_null(h->line[h->count]);
	h->count++;
}

static const char *text_of(const struct heard *h, unsigned int i, const char *name)
{
	return json_string_value(json_object_get(h->line[i], name));
}

static void forget(struct heard *h)
{
	while (h->count > 0)
		json_decref(h->line[--h->count]);
}

static int clean(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'/*", directory);
	return system(command);
}

static void test_lines_of_one_tunnel_come_back_in_order(void **state)
{
	struct life_log *l = open_log(1 << 20, 3);
	struct heard h = {0};

	(void)state;
	reset_of(l, "paris", "first");
	reset_of(l, "rome", "between");
	reset_of(l, "paris", "second");
	reset_of(l, "paris2", "another name that begins alike");
	reset_of(l, "paris", "third");
	assert_int_equal(life_log_read(l, "paris", 2, hear, &h), 0);
	assert_int_equal(h.count, 2);
	assert_string_equal(text_of(&h, 0, "reason"), "second");
	assert_string_equal(text_of(&h, 1, "reason"), "third");
	assert_string_equal(text_of(&h, 1, "event"), "TunnelReset");
	assert_string_equal(text_of(&h, 1, "actor"), "test (pid 1)");
	assert_string_equal(text_of(&h, 1, "remote"), "192.0.2.1");
	forget(&h);
	assert_int_equal(life_log_read(l, NULL, 60, hear, &h), 0);
	assert_int_equal(h.count, 6);
	assert_string_equal(text_of(&h, 0, "event"), "GatewayStarted");
	forget(&h);
	life_log_close(l);
}

static void test_a_restart_appends(void **state)
{
	struct heard h = {0};

	(void)state;
	life_log_close(open_log(1 << 20, 1));
	struct life_log *l = open_log(1 << 20, 1);
	assert_int_equal(life_log_read(l, NULL, 60, hear, &h), 0);
	assert_int_equal(h.count, 3);
	assert_string_equal(text_of(&h, 1, "event"), "GatewayStopped");
	forget(&h);
	life_log_close(l);
}

/* Files stay below their size, so many are kept, and reading goes on into older ones. */
static void test_files_are_rotated_by_size(void **state)
{
	struct life_log *l = open_log(1000, 2);
	struct heard h = {0};
	char name[96], reason[16];
	struct stat st;

	(void)state;
	for (unsigned int i = 0; i < 40; i++) {
		snprintf(reason, sizeof(reason), "%u", i);
		reset_of(l, "paris", reason);
	}
	for (unsigned int n = 0; n <= 3; n++) {
		snprintf(name, sizeof(name), n > 0 ? "%s.%u" : "%s", path, n);
		assert_int_equal(stat(name, &st), n == 3 ? -1 : 0);
		if (n < 3)
			assert_in_range(st.st_size, 1, 1000);
	}
	snprintf(name, sizeof(name), "%s.new", path);
	assert_int_equal(stat(name, &st), -1);
	assert_int_equal(life_log_read(l, "paris", 60, hear, &h), 0);
	assert_in_range(h.count, 9, 39);
	for (unsigned int i = 0; i < h.count; i++)
		assert_int_equal(atoi(text_of(&h, i, "reason")), 40 - h.count + i);
	forget(&h);
	life_log_close(l);
}

static void test_a_torn_line_spoils_no_other(void **state)
{
	struct heard h = {0};
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	(void)state;
	assert_int_equal(write(fd, "{\"time\":\"2026", 13), 13);
	close(fd);
	struct life_log *l = open_log(1 << 20, 1);
	reset_of(l, "paris", "after");
	assert_int_equal(life_log_read(l, "paris", 60, hear, &h), 0);
	assert_int_equal(h.count, 1);
	forget(&h);
	life_log_close(l);
}

static void test_one_gateway_a_file(void **state)
{
	struct life_log_config config = {path, 1000, 1};
	struct fault fault = {0};
	struct life_log *l = open_log(1000, 1);

	(void)state;
	assert_null(life_log_open(&config, &fault));
	assert_int_equal(fault.err, EBUSY);
	life_log_close(l);
}

static void test_neither_links_nor_devices_are_written(void **state)
{
	struct life_log_config config = {path, 1000, 1};
	struct fault fault = {0};

	(void)state;
	assert_int_equal(symlink("/etc/hostname", path), 0);
	assert_null(life_log_open(&config, &fault));
	assert_int_equal(fault.err, ELOOP);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_null(life_log_open(&config, &fault));
	assert_int_equal(fault.err, EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(test_lines_of_one_tunnel_come_back_in_order, clean),
	    cmocka_unit_test_teardown(test_a_restart_appends, clean),
	    cmocka_unit_test_teardown(test_files_are_rotated_by_size, clean),
	    cmocka_unit_test_teardown(test_a_torn_line_spoils_no_other, clean),
	    cmocka_unit_test_teardown(test_one_gateway_a_file, clean),
	    cmocka_unit_test_teardown(test_neither_links_nor_devices_are_written, clean),
	};

	if (mkdtemp(directory) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/tunnels.jsonl", directory);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(directory);
	return failed;
}
