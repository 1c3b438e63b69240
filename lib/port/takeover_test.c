/* SPDX-License-Identifier: BSD-3-Clause */
/* Who may replace whose XDP program, and what it inherits. Needs root. */
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "port/steer_state.h"
#include "steer.skel.h"

static int device; /* ifindex of a veth */

static struct steer *opened(void)
{
	struct fault fault = {0};
	struct steer *s = steer_open(&fault);

	if (s == NULL)
		print_error("%s\n", fault.what);
	assert_non_null(s);
	return s;
}

static void attach(struct steer *s, int ifindex, unsigned int role)
{
	struct steer_attached out;
	struct fault fault = {0};

	if (steer_attach(s, ifindex, role, "auto", &out, &fault) != 0)
		fail_msg("%s: %s", fault.where, fault.what);
}

/* What the attached program does with an IPv4 packet to `to`. */
static int run(const struct steer *s, const char *to)
{
	uint8_t frame[64] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 50};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = 1);
	struct ip_addr address;

	assert_int_equal(ip_addr_parse(to, &address), 0);
	memcpy(frame + 30, address.bytes, 4);
	int prog = bpf_program__fd(steer_program_find(s, device)->bpf->progs.xsk_def_prog);
	assert_int_equal(bpf_prog_test_run_opts(prog, &opts), 0);
	return (int)opts.retval;
}

/* A child attaches and ends, or waits, as a daemon that crashed, or runs. */
static pid_t other_daemon(bool crash)
{
	int ready[2];
	char byte = 0;

	assert_int_equal(pipe(ready), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct steer *s = steer_open(NULL);
		struct steer_attached out;
		struct ip_prefix p;

		ip_prefix_parse("10.77.0.0/16", &p);
		if (s == NULL || steer_prefix_set(s, &p, true) != 0 ||
		    steer_attach(s, device, PORT_PROTECTED, "auto", &out, NULL) != 0 ||
		    write(ready[1], "1", 1) != 1)
			_exit(1);
		while (!crash)
			pause();
		_exit(0);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	if (crash)
		waitpid(pid, NULL, 0);
	return pid;
}

static void takes_over_a_stale_program(void **state)
{
	struct steer_attached out;
	struct fault fault = {0};
	struct ip_prefix own;

	(void)state;
	other_daemon(true);
	struct steer *s = opened();
	assert_int_equal(ip_prefix_parse("10.2.0.0/16", &own), 0);
	assert_int_equal(steer_prefix_set(s, &own, true), 0);
	assert_int_equal(steer_attach(s, device, PORT_PROTECTED, "auto", &out, &fault), 0);
	assert_true(out.taken_over);

	/* What was steered stays steered until the new configuration stands. */
	assert_int_equal(run(s, "10.77.0.1"), XDP_DROP);
	assert_int_equal(run(s, "10.2.0.1"), XDP_DROP);
	steer_sweep(s);
	assert_int_equal(run(s, "10.77.0.1"), XDP_PASS);
	assert_int_equal(run(s, "10.2.0.1"), XDP_DROP);
	steer_detach(s, device);
	steer_close(s);
}

static void refuses_to_change_mode_with_a_gap(void **state)
{
	struct steer *s = opened();
	struct steer_attached out;
	struct fault fault = {0};

	(void)state;
	other_daemon(true);
	assert_int_equal(steer_attach(s, device, PORT_PROTECTED, "generic", &out, &fault), -EBUSY);
	assert_string_equal(fault.where, "xdp_mode");
	attach(s, device, PORT_PROTECTED);
	steer_detach(s, device);
	steer_close(s);
}

static void leaves_a_running_daemon_alone(void **state)
{
	struct steer *s = opened();
	struct steer_attached out;
	struct fault fault = {0};
	char pid_text[16];
	pid_t pid = other_daemon(false);

	(void)state;
	assert_int_equal(steer_attach(s, device, PORT_PROTECTED, "auto", &out, &fault), -EBUSY);
	snprintf(pid_text, sizeof(pid_text), "%d", pid);
	assert_non_null(strstr(fault.what, pid_text));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	attach(s, device, PORT_PROTECTED);
	steer_detach(s, device);
	steer_close(s);
}

static void names_a_foreign_program(void **state)
{
	struct bpf_insn pass[] = {
	    {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = XDP_PASS},
	    {.code = BPF_JMP | BPF_EXIT},
	};
	struct steer *s = opened();
	struct steer_attached out;
	struct fault fault = {0};

	(void)state;
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "somebody_else", "GPL", pass, 2, NULL);
	assert_true(fd >= 0);
	assert_int_equal(bpf_xdp_attach(device, fd, XDP_FLAGS_SKB_MODE, NULL), 0);
	assert_int_equal(steer_attach(s, device, PORT_PROTECTED, "auto", &out, &fault), -EBUSY);
	assert_non_null(strstr(fault.what, "somebody_else"));
	bpf_xdp_detach(device, XDP_FLAGS_SKB_MODE, NULL);
	/* A program of the right name is not ours by that alone. */
	int like = bpf_prog_load(BPF_PROG_TYPE_XDP, "xsk_def_prog", "GPL", pass, 2, NULL);
	assert_true(like >= 0);
	assert_int_equal(bpf_xdp_attach(device, like, XDP_FLAGS_SKB_MODE, NULL), 0);
	assert_int_equal(steer_attach(s, device, PORT_PROTECTED, "auto", &out, &fault), -EBUSY);
	bpf_xdp_detach(device, XDP_FLAGS_SKB_MODE, NULL);
	close(fd);
	close(like);
	steer_close(s);
}

static int make_device(void **state)
{
	(void)state;
	if (unshare(CLONE_NEWNET) != 0 || system("ip link add st0 type veth peer name sp0") != 0)
		return -1;
	device = (int)if_nametoindex("st0");
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(takes_over_a_stale_program),
	    cmocka_unit_test(refuses_to_change_mode_with_a_gap),
	    cmocka_unit_test(leaves_a_running_daemon_alone),
	    cmocka_unit_test(names_a_foreign_program),
	};

	if (geteuid() != 0)
		return 77;
	return cmocka_run_group_tests(tests, make_device, NULL);
}
