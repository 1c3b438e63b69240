/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/testsocket.h"

#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/call.h"
#include "control/state.h"
#include "gateway/event.h"

/* Clients of the socket that die and come back, and what the gateway knows of them. */

static int start(void **state)
{
	(void)state;
	return socket_start(&(struct control_config){.clients_max = 100, .mode = 0666});
}

#define with_socket(test) cmocka_unit_test_setup_teardown(test, start, socket_stop)

static json_t *call(int fd, const char *method, const char *params)
{
	char line[1024];

	snprintf(line, sizeof(line),
		 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}\n", method,
		 params);
	say_text(fd, line);
	json_t *answer = json_loads(hear(fd), 0, NULL);
	assert_non_null(answer);
	return answer;
}

static json_int_t number_of(int fd, const char *method, const char *params, const char *path)
{
	json_t *answer = call(fd, method, params);
	const json_t *value = at(answer, path);

	if (value == NULL)
		fail_msg("%s: no %s in %s", method, path, json_dumps(answer, 0));
	json_int_t n = json_is_boolean(value) ? json_is_true(value) : json_integer_value(value);
	json_decref(answer);
	return n;
}

#define TUNNEL(name, remote) \
	"{\"name\":\"" name "\",\"local\":\"198.51.100.1\",\"remote\":\"" remote "\"}"

/* A client in a process of its own, which dies with `requests` on their way. */
static void die_with(const char *requests)
{
	int ready[2];
	char byte;

	assert_int_equal(pipe(ready), 0);
	pid_t pid = fork();
	if (pid == 0) {
		int fd = try_connect();
		static const char open[] =
		    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"session.open\","
		    "\"params\":{\"name\":\"charon\"}}\n";
		(void)!send(fd, open, sizeof(open) - 1, MSG_NOSIGNAL);
		(void)!send(fd, requests, strlen(requests), MSG_NOSIGNAL);
		(void)!write(ready[1], "", 1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(ready[0]);
	close(ready[1]);
}

static void a_client_is_back_at_once(void **state)
{
	(void)state;
	char requests[200 * 128];
	size_t len = 0;

	/* However much of it is served before, it is the session's, and marked. */
	for (int i = 0; i < 200; i++)
		len += (size_t)sprintf(requests + len,
				       "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"spi.alloc\"}\n");
	for (int round = 0; round < 20; round++) {
		die_with(requests);
		int fd = connected();
		json_t *opened = call(fd, "session.open", "{\"name\":\"charon\"}");
		json_int_t marked = number_at(opened, "result.marked.spis");
		assert_in_range(marked, 0, 200);
		json_decref(opened);
		assert_int_equal(number_of(fd, "session.get", "{}", "result.connections"), 1);
		assert_int_equal(number_of(fd, "session.get", "{}", "result.installed.spis"),
				 marked);
		assert_int_equal(number_of(fd, "session.sweep", "{}", "result.deleted.spis"),
				 marked);
		json_decref(call(fd, "session.close", "{\"delete\":true}"));
		close(fd);
	}
}

static void its_leftovers_are_marked(void **state)
{
	(void)state;
	int fd = connected();

	json_decref(call(fd, "session.open", "{\"name\":\"charon\"}"));
	json_decref(call(fd, "tunnel.add", TUNNEL("lyon", "192.0.2.11")));
	close(fd);
	fd = connected();
	json_t *opened = call(fd, "session.open", "{\"name\":\"charon\"}");
	assert_true(json_is_true(at(opened, "result.resumed")));
	assert_int_equal(number_at(opened, "result.marked.tunnels"), 1);
	json_decref(opened);
	assert_int_equal(number_of(fd, "session.sweep", "{}", "result.deleted.tunnels"), 1);
	close(fd);
}

static char actor_seen[128];
static bool actor_left; /* behind a request */

void __real_gateway_actor(struct gateway *g, const char *actor);
void __wrap_gateway_actor(struct gateway *g, const char *actor);

void __wrap_gateway_actor(struct gateway *g, const char *actor)
{
	if (actor != NULL)
		snprintf(actor_seen, sizeof(actor_seen), "%s", actor);
	actor_left = actor != NULL;
	__real_gateway_actor(g, actor);
}

/* The gateway knows on whose behalf it does something. */
static void changes_are_done_in_somebodys_name(void **state)
{
	(void)state;
	char wanted[64];
	int fd = connected();

	json_decref(call(fd, "tunnel.delete", "{\"name\":\"rome\"}"));
	snprintf(wanted, sizeof(wanted), "control_reconne (pid %d, uid %d)", (int)getpid(),
		 (int)getuid());
	assert_string_equal(actor_seen, wanted);
	json_decref(call(fd, "session.open", "{\"name\":\"charon\"}"));
	json_decref(call(fd, "tunnel.delete", "{\"name\":\"paris\"}"));
	snprintf(wanted, sizeof(wanted), "charon (pid %d, uid %d)", (int)getpid(), (int)getuid());
	assert_string_equal(actor_seen, wanted);
	assert_false(actor_left);
	close(fd);
}

/* Without the right to change anything one may listen, and look, and no more. */
static void a_stranger_listens_only(void **state)
{
	(void)state;
	const struct passwd *nobody = getpwnam("nobody");

	if (geteuid() != 0 || nobody == NULL)
		skip();
	chmod(socket_directory, 0755);
	pid_t pid = fork();
	if (pid == 0) {
		if (setgid(nobody->pw_gid) != 0 || setuid(nobody->pw_uid) != 0)
			_exit(2);
		static const char requests[] =
		    "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"session.open\",\"params\":"
		    "{\"name\":\"x\"}},"
		    "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"session.sweep\",\"params\":"
		    "{\"name\":\"x\"}},"
		    "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"session.close\"},"
		    "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"session.list\"},"
		    "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"events.subscribe\"}]\n";
		int fd = try_connect();
		char answer[4096] = "";
		if (fd < 0 || send(fd, requests, sizeof(requests) - 1, 0) < 0)
			_exit(3);
		size_t len = 0;
		while (len < sizeof(answer) - 1 && strchr(answer, '\n') == NULL) {
			ssize_t n = recv(fd, answer + len, sizeof(answer) - 1 - len, 0);
			if (n <= 0)
				_exit(4);
			len += (size_t)n;
		}
		json_t *all = json_loads(answer, 0, NULL);
		bool right = json_array_size(all) == 5;
		for (size_t i = 0; right && i < 5; i++) {
			const json_t *one = json_array_get(all, i);
			right = i < 3 ? number_at(one, "error.code") == RPC_DENIED
				      : at(one, "result") != NULL;
		}
		_exit(right ? 0 : 5);
	}
	int status;
	waitpid(pid, &status, 0);
	chmod(socket_directory, 0700);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    with_socket(a_client_is_back_at_once),
	    with_socket(its_leftovers_are_marked),
	    with_socket(changes_are_done_in_somebodys_name),
	    with_socket(a_stranger_listens_only),
	};

	return socket_main(tests, sizeof(tests) / sizeof(tests[0]));
}
