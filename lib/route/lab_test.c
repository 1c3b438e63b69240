/* SPDX-License-Identifier: BSD-3-Clause */
#include "route/lab_test.h"

#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rcu/rcu.h"
#include "route/eal_test.h"

void lab_run(const char *fmt, ...)
{
	char command[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	int rc = system(command);

	if (rc != 0)
		fail_msg("`%s` ended with %d", command, rc);
}

int lab_ifindex(const char *name)
{
	int i = (int)if_nametoindex(name);

	assert_int_not_equal(i, 0);
	return i;
}

static void read_mac(const char *prefix, const char *name, uint8_t mac[6])
{
	char command[256];
	unsigned int b[6];

	snprintf(command, sizeof(command), "%s ip -br link show %s | awk '{print $3}'", prefix,
		 name);
	FILE *f = popen(command, "r");

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%x:%x:%x:%x:%x:%x", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5]),
			 6);
	pclose(f);
	for (int i = 0; i < 6; i++)
		mac[i] = (uint8_t)b[i];
}

static int peer_start(void)
{
	int ready[2];
	char c;

	assert_int_equal(pipe(ready), 0);
	int pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWNET) != 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

int lab_setup(void **state)
{
	static struct lab lab;
	const struct fib_limits limits = {8192, 8192};
	char peer[64];

	memset(&lab, 0, sizeof(lab));
	*state = &lab;
	if (unshare(CLONE_NEWNET) != 0) {
		perror("a network namespace needs root");
		return -1;
	}
	if (eal_test_init() < 0 || rcu_init(2) != 0)
		return -1;
	lab.link = -1;
	lab.peer = peer_start();
	snprintf(peer, sizeof(peer), LAB_PEER, lab.peer);
	lab_run("sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0");
	lab_run("ip link set lo up; ip link add zva type veth peer name zvb netns %d", lab.peer);
	lab_run("ip addr add 192.0.2.1/24 dev zva; ip addr add 2001:db8:1::1/64 dev zva nodad");
	lab_run("%s ip addr add 192.0.2.2/24 dev zvb; %s ip addr add 192.0.2.3/24 dev zvb", peer,
		peer);
	lab_run("%s ip addr add 2001:db8:1::2/64 dev zvb nodad", peer);
	lab_run("%s ip link set zvb up; ip link set zva up", peer);
	lab.ifindex = lab_ifindex("zva");
	read_mac("", "zva", lab.mac);
	read_mac(peer, "zvb", lab.peer_mac);
	lab.fib = fib_create(&limits, NULL);
	assert_non_null(lab.fib);
	lab_mirror_open(&lab);
	return 0;
}

int lab_teardown(void **state)
{
	struct lab *lab = *state;

	mirror_close(lab->mirror);
	fib_destroy(lab->fib);
	kill(lab->peer, SIGKILL);
	waitpid(lab->peer, NULL, 0);
	rcu_fini();
	return rte_eal_cleanup();
}

static void on_link(void *arg, uint16_t port, bool up)
{
	struct lab *lab = arg;

	assert_int_equal(port, LAB_PORT);
	lab->link = up;
}

static void on_protected(void *arg, const struct ip_prefix *prefix, bool present)
{
	struct lab *lab = arg;
	unsigned int i = 0;

	while (i < lab->protected_n && !ip_prefix_equal(&lab->protected[i].prefix, prefix))
		i++;
	assert_true(i < 256);
	if (i == lab->protected_n)
		lab->protected_n++;
	else
		assert_int_not_equal(lab->protected[i].present, present);
	lab->protected[i].prefix = *prefix;
	lab->protected[i].present = present;
}

static void on_local(void *arg, const struct ip_addr *addr, bool present)
{
	struct lab *lab = arg;
	unsigned int i = 0;

	while (i < lab->local_n && !ip_addr_equal(&lab->local[i].addr, addr))
		i++;
	assert_true(i < 256);
	if (i == lab->local_n)
		lab->local_n++;
	else
		assert_int_not_equal(lab->local[i].present, present);
	lab->local[i].addr = *addr;
	lab->local[i].present = present;
}

void lab_mirror_open(struct lab *lab)
{
	const struct mirror_events events = {
	    .arg = lab,
	    .link = on_link,
	    .protected_prefix = on_protected,
	    .local_address = on_local,
	};

	lab->link = -1;
	lab->protected_n = lab->local_n = 0;
	lab->mirror = mirror_open(lab->fib, &events, NULL);
	assert_non_null(lab->mirror);
	assert_int_equal(
	    mirror_device_add(lab->mirror, lab->ifindex, MIRROR_PORT, LAB_PORT, lab->mac, 1500), 0);
}

void lab_follow(struct lab *lab)
{
	struct pollfd p = {.fd = mirror_fd(lab->mirror), .events = POLLIN};

	while (poll(&p, 1, 30) > 0)
		mirror_read(lab->mirror);
}

struct ip_addr lab_addr(const char *text)
{
	struct ip_addr a;

	assert_int_equal(ip_addr_parse(text, &a), 0);
	return a;
}

struct ip_prefix lab_prefix(const char *text)
{
	struct ip_prefix p;

	assert_int_equal(ip_prefix_parse(text, &p), 0);
	return p;
}

const struct nexthop *lab_lookup(const struct lab *lab, const char *addr)
{
	struct ip_addr a = lab_addr(addr);

	return fib_lookup(lab->fib, a.family, a.bytes);
}

const struct nexthop *lab_expect_at(struct lab *lab, const char *addr, enum nexthop_type type,
				    const char *file, int line)
{
	for (unsigned int i = 0; i < 100; i++) {
		lab_follow(lab);
		if (lab_lookup(lab, addr)->type == type)
			return lab_lookup(lab, addr);
	}
	print_error("%s has a next hop of type %d, not %d\n", addr, lab_lookup(lab, addr)->type,
		    type);
	_fail(file, line);
	return NULL;
}

void lab_expect_link(struct lab *lab, int up)
{
	for (unsigned int i = 0; i < 100 && lab->link != up; i++)
		lab_follow(lab);
	assert_int_equal(lab->link, up);
}

int lab_protected(const struct lab *lab, const char *prefix)
{
	struct ip_prefix p = lab_prefix(prefix);

	for (unsigned int i = 0; i < lab->protected_n; i++)
		if (ip_prefix_equal(&lab->protected[i].prefix, &p))
			return lab->protected[i].present;
	return -1;
}

int lab_local(const struct lab *lab, const char *addr)
{
	struct ip_addr a = lab_addr(addr);

	for (unsigned int i = 0; i < lab->local_n; i++)
		if (ip_addr_equal(&lab->local[i].addr, &a))
			return lab->local[i].present;
	return -1;
}
