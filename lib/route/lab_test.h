/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_ROUTE_LAB_TEST_H
#define ESPALIER_ROUTE_LAB_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "route/mirror.h"

/*
 * A network namespace for the test, a second one for a neighbour, and a veth
 * pair between: zva (port 0; 192.0.2.1/24, 2001:db8:1::1/64) and zvb (192.0.2.2,
 * 192.0.2.3, 2001:db8:1::2). Both namespaces go with their processes. Needs root.
 */
#define LAB_PORT 0
#define LAB_PEER "nsenter -t %d -n "

struct lab {
	int peer; /* pid */
	int ifindex;
	uint8_t mac[6], peer_mac[6];
	struct fib *fib;
	struct mirror *mirror;
	/* What the events said last. */
	int link; /* -1: nothing */
	struct {
		struct ip_prefix prefix;
		bool present;
	} protected[256];
	unsigned int protected_n;
	struct {
		struct ip_addr addr;
		bool present;
	} local[256];
	unsigned int local_n;
};

int lab_setup(void **state);
int lab_teardown(void **state);

/* Open the lab's mirror, with zva registered as port 0. */
void lab_mirror_open(struct lab *lab);

/* Run a shell command; it must succeed. `%d` in a LAB_PEER command is the peer. */
void lab_run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int lab_ifindex(const char *name);

/* Let the mirror read until nothing has come for a while. */
void lab_follow(struct lab *lab);

struct ip_addr lab_addr(const char *text);
struct ip_prefix lab_prefix(const char *text);
const struct nexthop *lab_lookup(const struct lab *lab, const char *addr);

/* Follow changes for up to 3 seconds until `addr` has a next hop of `type`. */
const struct nexthop *lab_expect_at(struct lab *lab, const char *addr, enum nexthop_type type,
				    const char *file, int line);
#define lab_expect(lab, addr, type) lab_expect_at(lab, addr, type, __FILE__, __LINE__)

/* The same for what was said of the link: the kernel tells it up to a second late. */
void lab_expect_link(struct lab *lab, int up);

/* -1: never told, else what was told last. */
int lab_protected(const struct lab *lab, const char *prefix);
int lab_local(const struct lab *lab, const char *addr);

#endif
