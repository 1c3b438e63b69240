/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/testbed.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pthread.h>
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

#include "gateway/provision.h"

/* The socket itself: clients in this process, the gateway's event loop in a thread. */

static char directory[] = "/tmp/control-test-XXXXXX";
static char path[64];
static struct event_base *base;
static struct control *control;
static pthread_t thread;
static _Atomic unsigned long turns; /* of the loop's other work */

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	turns++;
}

static void on_quit(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	event_base_loopbreak(arg);
}

static struct event *quitting, *ticking;
static int quit_pipe[2];

static void *loop(void *arg)
{
	event_base_dispatch(arg);
	return NULL;
}

static int start_with(const struct control_config *more)
{
	struct control_config config = *more;
	const struct timeval tick = {.tv_usec = 1000};
	struct fault fault = {0};

	config.path = path;
	if (testbed_setup(NULL) != 0)
		return -1;
	base = event_base_new();
	control = control_start(base, &testbed.g, &config, &fault);
	if (control == NULL || pipe(quit_pipe) != 0) {
		print_message("%s: %s\n", fault.where, fault.what);
		return -1;
	}
	quitting = event_new(base, quit_pipe[0], EV_READ, on_quit, base);
	ticking = event_new(base, -1, EV_PERSIST, on_tick, NULL);
	event_add(quitting, NULL);
	event_add(ticking, &tick);
	return pthread_create(&thread, NULL, loop, base);
}

static int start(void **state)
{
	(void)state;
	return start_with(&(struct control_config){.stall_seconds = 1, .clients_max = 1100});
}

static int stop(void **state)
{
	(void)state;
	if (write(quit_pipe[1], "", 1) != 1)
		return -1;
	pthread_join(thread, NULL);
	event_free(quitting);
	event_free(ticking);
	control_stop(control);
	event_base_free(base);
	close(quit_pipe[0]);
	close(quit_pipe[1]);
	testbed_teardown(NULL);
	return access(path, F_OK) == 0 ? -1 : 0;
}

static int try_connect(void)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0) {
		close(fd);
		return -errno;
	}
	return fd;
}

static int connected(void)
{
	int fd = try_connect();

	assert_true(fd >= 0);
	return fd;
}

static void say(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);
		assert_true(n > 0);
		text += n;
		len -= (size_t)n;
	}
}

#define say_text(fd, text) say(fd, text, strlen(text))

/* One line within five seconds; NULL at the end of the stream. */
static char *hear(int fd)
{
	static char line[1 << 20];
	size_t len = 0;

	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		if (poll(&p, 1, 5000) != 1)
			fail_msg("no answer in time");
		ssize_t n = recv(fd, line + len, 1, 0);
		if (n <= 0)
			return NULL;
		if (line[len] == '\n') {
			line[len] = '\0';
			return line;
		}
		if (++len == sizeof(line))
			fail_msg("the answer is too long");
	}
}

#define INFO "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"gateway.info\"}\n"

static void expect_alive(void)
{
	int fd = connected();

	say_text(fd, INFO);
	assert_non_null(strstr(hear(fd), "\"version\""));
	close(fd);
}

static void expect_code(int fd, int code)
{
	char wanted[32];
	const char *line = hear(fd);

	snprintf(wanted, sizeof(wanted), "\"code\":%d,", code);
	if (line == NULL || strstr(line, wanted) == NULL)
		fail_msg("%s has no %s", line, wanted);
}

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

static int start_small(void **state)
{
	(void)state;
	return start_with(&(struct control_config){.clients_max = 2});
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
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	assert_int_equal(connect(waiting, (struct sockaddr *)&addr, sizeof(addr)), 0);
	say_text(waiting, INFO);
	struct timespec a, b;
	clockid_t clock;
	pthread_getcpuclockid(thread, &clock);
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
	struct control_config config = {.path = path};
	struct fault fault = {0};
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	assert_null(control_start(base, &testbed.g, &config, &fault));
	assert_int_equal(fault.err, EADDRINUSE);
	expect_alive();
}

static void a_dead_socket_is_replaced_and_a_file_is_not(void **state)
{
	(void)state;
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct control_config config = {.path = path, .mode = 0600, .group = "daemon"};
	struct fault fault = {0};
	struct stat st;

	assert_int_equal(testbed_setup(NULL), 0);
	base = event_base_new();
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	close(fd);
	struct control *c = control_start(base, &testbed.g, &config, &fault);
	assert_non_null(c);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_gid, getgrnam("daemon")->gr_gid);
	/* Somebody else's file at the same place survives our end. */
	unlink(path);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	close(fd);
	control_stop(c);
	assert_int_equal(access(path, F_OK), 0);
	assert_null(control_start(base, &testbed.g, &config, &fault));
	assert_int_equal(fault.err, EEXIST);
	unlink(path);
	config.group = "no-such-group";
	assert_null(control_start(base, &testbed.g, &config, &fault));
	assert_string_equal(fault.where, "group");
	assert_int_equal(access(path, F_OK), -1);
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
	return start_with(&(struct control_config){.mode = 0666, .group = "daemon"});
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
	chmod(directory, 0755);
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
	chmod(path, 0660);
	assert_int_equal(code_for(uid, gid, 0, "gateway.info"), 98);
	assert_int_equal(code_for(uid, gid, daemon_gid, "gateway.info"), 0);
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

#define with_socket(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    with_socket(lines_in_any_pieces),
	    with_socket(a_half_line_ends_with_its_client),
	    with_socket(garbage_is_answered),
	    with_socket(a_line_may_be_long_but_not_longer),
	    with_socket(all_unfinished_lines_have_a_limit),
	    with_socket(a_slow_reader_is_cut_off),
	    with_socket(a_flood_starves_nobody),
	    with_socket(a_long_batch_lets_others_through),
	    with_socket(a_thousand_clients),
	    cmocka_unit_test_setup_teardown(too_many_clients_are_told, start_small, stop),
	    with_socket(without_descriptors_it_waits),
	    with_socket(the_file_has_its_mode_and_a_living_socket_is_kept),
	    cmocka_unit_test(a_dead_socket_is_replaced_and_a_file_is_not),
	    cmocka_unit_test_setup_teardown(rights_are_of_the_peer, start_open, stop),
	};
	struct rlimit files;

	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max < 4096 ? files.rlim_max : 4096;
	setrlimit(RLIMIT_NOFILE, &files);
	if (mkdtemp(directory) == NULL || testbed_eal() != 0)
		return 1;
	snprintf(path, sizeof(path), "%s/control.sock", directory);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	rmdir(directory);
	return failed;
}
