/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/testsocket.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

char socket_directory[] = "/tmp/control-test-XXXXXX";
char socket_path[64];
struct event_base *base;
struct control *socket_control;
pthread_t loop_thread;
_Atomic unsigned long turns;

static struct {
	void (*call)(void *arg);
	void *arg;
	_Atomic bool wanted;
} errand;

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	turns++;
	if (errand.wanted) {
		errand.call(errand.arg);
		errand.wanted = false;
	}
}

void in_loop(void (*call)(void *arg), void *arg)
{
	errand.call = call;
	errand.arg = arg;
	errand.wanted = true;
	while (errand.wanted)
		usleep(100);
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

int socket_start(const struct control_config *more)
{
	struct control_config config = *more;
	const struct timeval tick = {.tv_usec = 1000};
	struct fault fault = {0};

	config.path = socket_path;
	if (testbed_setup(NULL) != 0)
		return -1;
	base = event_base_new();
	socket_control = control_start(base, &testbed.g, &config, &fault);
	if (socket_control == NULL || pipe(quit_pipe) != 0) {
		print_message("%s: %s\n", fault.where, fault.what);
		return -1;
	}
	quitting = event_new(base, quit_pipe[0], EV_READ, on_quit, base);
	ticking = event_new(base, -1, EV_PERSIST, on_tick, NULL);
	event_add(quitting, NULL);
	event_add(ticking, &tick);
	return pthread_create(&loop_thread, NULL, loop, base);
}

int socket_stop(void **state)
{
	(void)state;
	if (write(quit_pipe[1], "", 1) != 1)
		return -1;
	pthread_join(loop_thread, NULL);
	event_free(quitting);
	event_free(ticking);
	control_stop(socket_control);
	event_base_free(base);
	close(quit_pipe[0]);
	close(quit_pipe[1]);
	testbed_teardown(NULL);
	return access(socket_path, F_OK) == 0 ? -1 : 0;
}

int try_connect(void)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", socket_path);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0) {
		close(fd);
		return -errno;
	}
	return fd;
}

int connected(void)
{
	int fd = try_connect();

	assert_true(fd >= 0);
	return fd;
}

void say(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);
		assert_true(n > 0);
		text += n;
		len -= (size_t)n;
	}
}

/* One line within five seconds; NULL at the end of the stream. */
char *hear(int fd)
{
	static char line[1 << 20];
	size_t len = 0;

	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		if (poll(&p, 1, 5000) != 1)
			fail_msg("no answer in time");
		/* What stands behind the line stays in the socket. */
		ssize_t n = recv(fd, line + len, sizeof(line) - len, MSG_PEEK);
		if (n <= 0)
			return NULL;
		char *newline = memchr(line + len, '\n', (size_t)n);
		size_t wanted = newline != NULL ? (size_t)(newline - line) - len + 1 : (size_t)n;
		n = recv(fd, line + len, wanted, 0);
		if (n <= 0)
			return NULL;
		len += (size_t)n;
		if (line[len - 1] == '\n') {
			line[len - 1] = '\0';
			return line;
		}
		if (len == sizeof(line))
			fail_msg("the answer is too long");
	}
}

void expect_alive(void)
{
	int fd = connected();

	say_text(fd, INFO);
	assert_non_null(strstr(hear(fd), "\"version\""));
	close(fd);
}

void expect_code(int fd, int code)
{
	char wanted[32];
	const char *line = hear(fd);

	snprintf(wanted, sizeof(wanted), "\"code\":%d,", code);
	if (line == NULL || strstr(line, wanted) == NULL)
		fail_msg("%s has no %s", line, wanted);
}

int socket_main(const struct CMUnitTest *tests, size_t count)
{
	struct rlimit files;

	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max < 4096 ? files.rlim_max : 4096;
	setrlimit(RLIMIT_NOFILE, &files);
	if (mkdtemp(socket_directory) == NULL || testbed_eal() != 0)
		return 1;
	snprintf(socket_path, sizeof(socket_path), "%s/control.sock", socket_directory);
	int failed = _cmocka_run_group_tests("socket", tests, count, NULL, NULL);
	unlink(socket_path);
	rmdir(socket_directory);
	return failed;
}
