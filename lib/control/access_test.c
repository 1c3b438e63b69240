/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/testsocket.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Who is let in: the file, its mode and group, how many, and what each may do. */

static int start(void **state)
{
	(void)state;
	return socket_start(&(struct control_config){.stall_seconds = 1, .clients_max = 1100});
}

#define with_socket(test) cmocka_unit_test_setup_teardown(test, start, socket_stop)

static int start_small(void **state)
{
	(void)state;
	return socket_start(&(struct control_config){.clients_max = 2});
}

static void too_many_clients_are_told(void **state)
{
	(void)state;
	int a = connected(), b = connected(), c = connected();

	expect_code(c, -32001);
	assert_null(hear(c));
	close(c);
	close(b);
	/* A place is free again as soon as the gateway has seen it. */
	for (int tries = 0; tries < 100; tries++) {
		c = connected();
		(void)!send(c, INFO, sizeof(INFO) - 1, MSG_NOSIGNAL);
		const char *line = hear(c);
		close(c);
		if (line != NULL && strstr(line, "version") != NULL)
			break;
		usleep(10000);
		assert_true(tries < 99);
	}
	close(a);
}

/* Out of descriptors: it waits, does not spin or die, and goes on afterwards. */
static void without_descriptors_it_waits(void **state)
{
	(void)state;
	struct rlimit before, few = {.rlim_cur = 0};
	int fd = connected();

	say_text(fd, INFO);
	hear(fd);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	int waiting = connected();
	close(waiting);
	waiting = socket(AF_UNIX, SOCK_STREAM, 0);
	few.rlim_cur = (rlim_t)waiting + 1;
	few.rlim_max = before.rlim_max;
	usleep(20000);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", socket_path);
	assert_int_equal(connect(waiting, (struct sockaddr *)&addr, sizeof(addr)), 0);
	say_text(waiting, INFO);
	struct timespec a, b;
	clockid_t clock;
	pthread_getcpuclockid(loop_thread, &clock);
	clock_gettime(clock, &a);
	usleep(300000);
	clock_gettime(clock, &b);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	long ms = (b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000;
	assert_true(ms < 150);
	assert_non_null(strstr(hear(waiting), "\"version\""));
	close(waiting);
	close(fd);
}

static void the_file_has_its_mode_and_a_living_socket_is_kept(void **state)
{
	(void)state;
	struct control_config config = {.path = socket_path};
	struct fault fault = {0};
	struct stat st;

	assert_int_equal(stat(socket_path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	assert_null(control_start(base, &testbed.g, &config, &fault));
	assert_int_equal(fault.err, EADDRINUSE);
	expect_alive();
}

static void a_dead_socket_is_replaced_and_a_file_is_not(void **state)
{
	(void)state;
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct control_config config = {.path = socket_path, .mode = 0600, .group = "daemon"};
	struct fault fault = {0};
	struct stat st;

	if (geteuid() != 0)
		skip();
	assert_int_equal(testbed_setup(NULL), 0);
	base = event_base_new();
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", socket_path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	close(fd);
	struct control *c = control_start(base, &testbed.g, &config, &fault);
	assert_non_null(c);
	assert_int_equal(stat(socket_path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_gid, getgrnam("daemon")->gr_gid);
	/* Somebody else's file at the same place survives our end. */
	unlink(socket_path);
	fd = open(socket_path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	close(fd);
	control_stop(c);
	assert_int_equal(access(socket_path, F_OK), 0);
	assert_null(control_start(base, &testbed.g, &config, &fault));
	assert_int_equal(fault.err, EEXIST);
	unlink(socket_path);
	config.group = "no-such-group";
	assert_null(control_start(base, &testbed.g, &config, &fault));
	assert_string_equal(fault.where, "group");
	assert_int_equal(access(socket_path, F_OK), -1);
	config.path = "/nonexistent-1/nonexistent-2/control.sock";
	config.group = NULL;
	assert_null(control_start(base, &testbed.g, &config, &fault));
	assert_int_equal(fault.err, ENOENT);
	char longer[200];
	memset(longer, 'a', sizeof(longer) - 1);
	longer[0] = '/';
	longer[199] = '\0';
	config.path = longer;
	assert_null(control_start(base, &testbed.g, &config, &fault));
	assert_int_equal(fault.err, ENAMETOOLONG);
	event_base_free(base);
	testbed_teardown(NULL);
}

static int start_open(void **state)
{
	(void)state;
	return socket_start(&(struct control_config){.mode = 0666, .group = "daemon"});
}

/* What a process of this user and group is answered. */
static int code_for(uid_t uid, gid_t gid, gid_t extra, const char *method)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		char line[128], *answer;
		if (setgroups(extra != 0, &extra) != 0 || setresgid(gid, gid, gid) != 0 ||
		    setresuid(uid, uid, uid) != 0)
			_exit(99);
		int fd = try_connect();
		if (fd < 0)
			_exit(98);
		dprintf(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\"}\n", method);
		FILE *in = fdopen(fd, "r");
		answer = fgets(line, sizeof(line), in);
		_exit(answer == NULL ? 97
		      : strstr(line, "\"result\"") != NULL
			  ? 0
			  : abs(atoi(strstr(line, "\"code\":") + 7)) % 90);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void rights_are_of_the_peer(void **state)
{
	(void)state;
	const struct passwd *nobody = getpwnam("nobody");
	gid_t daemon_gid = getgrnam("daemon")->gr_gid;

	if (geteuid() != 0)
		skip();
	chmod(socket_directory, 0755);
	uid_t uid = nobody->pw_uid;
	gid_t gid = nobody->pw_gid;
	/* Strangers read. */
	assert_int_equal(code_for(uid, gid, 0, "gateway.info"), 0);
	assert_int_equal(code_for(uid, gid, 0, "spi.alloc"), 6);
	assert_int_equal(code_for(uid, gid, 0, "sa.add"), 6);
	/* Members of the group do all; sa.add is only short of parameters. */
	assert_int_equal(code_for(uid, daemon_gid, 0, "spi.alloc"), 0);
	assert_int_equal(code_for(uid, gid, daemon_gid, "spi.alloc"), 0);
	assert_int_equal(code_for(uid, gid, daemon_gid, "sa.add"), 32602 % 90);
	assert_int_equal(code_for(0, 0, 0, "spi.alloc"), 0);
	/* Without the mode nobody comes in at all. */
	chmod(socket_path, 0660);
	assert_int_equal(code_for(uid, gid, 0, "gateway.info"), 98);
	assert_int_equal(code_for(uid, gid, daemon_gid, "gateway.info"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(too_many_clients_are_told, start_small, socket_stop),
	    with_socket(without_descriptors_it_waits),
	    with_socket(the_file_has_its_mode_and_a_living_socket_is_kept),
	    cmocka_unit_test(a_dead_socket_is_replaced_and_a_file_is_not),
	    cmocka_unit_test_setup_teardown(rights_are_of_the_peer, start_open, socket_stop),
	};

	return socket_main(tests, sizeof(tests) / sizeof(tests[0]));
}
