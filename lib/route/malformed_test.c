/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "route/lab_test.h"
#include "route/mirror_state.h"

/*
 * Netlink messages as the kernel sends them, then cut at every length and with
 * bytes changed: nothing reads past the end, and what was made of them is gone after the next full
 * dump.
 */
#define MESSAGES_MAX 512
#define GUARD 65536 /* bytes before the guard page; a message is shorter */

struct captured {
	struct nlmsghdr *message[MESSAGES_MAX];
	unsigned int n;
};

static uint64_t random_state = 88172645463325252ull;

static uint32_t rnd(uint32_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 11) % below;
}

static void capture(void *arg, const struct nlmsghdr *message)
{
	struct captured *c = arg;

	if (c->n == MESSAGES_MAX)
		return;
	c->message[c->n] = malloc(message->nlmsg_len);
	assert_non_null(c->message[c->n]);
	memcpy(c->message[c->n++], message, message->nlmsg_len);
}

static void hand_over(struct mirror *m, const struct nlmsghdr *message)
{
	switch (message->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		device_message(m, message);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		address_message(m, message);
		break;
	case RTM_NEWROUTE:
		kernel_route_dumped(m, message);
		kernel_route_changed(m, message);
		break;
	case RTM_DELROUTE:
		kernel_route_changed(m, message);
		break;
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		neighbour_message(m, message);
		break;
	}
}

/* A copy that ends where readable memory ends, but for its alignment. */
static struct nlmsghdr *copy(const struct nlmsghdr *message, uint32_t len)
{
	static char *end;

	if (end == NULL) {
		char *pages = mmap(NULL, 2 * GUARD, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		assert_true(pages != MAP_FAILED);
		assert_int_equal(mprotect(pages + GUARD, GUARD, PROT_NONE), 0);
		end = pages + GUARD;
	}
	struct nlmsghdr *h = (struct nlmsghdr *)(end - NLMSG_ALIGN(len));

	memcpy(h, message, len);
	h->nlmsg_len = len;
	return h;
}

static void damage(struct mirror *m, const struct nlmsghdr *message)
{
	for (uint32_t len = sizeof(*message); len <= message->nlmsg_len; len++) {
		struct nlmsghdr *h = copy(message, len);

		hand_over(m, h);
	}
	for (unsigned int i = 0; i < 400; i++) {
		struct nlmsghdr *h = copy(message, message->nlmsg_len);

		for (unsigned int changes = 1 + rnd(4); changes > 0; changes--)
			((uint8_t *)h)[sizeof(*h) + rnd(h->nlmsg_len - (uint32_t)sizeof(*h))] =
			    rnd(3) ? (uint8_t)rnd(256) : (uint8_t)rnd(20);
		if (rnd(3) == 0) /* …DEL is one more than …NEW */
			h->nlmsg_type++;
		hand_over(m, h);
	}
}

static void survives_malformed_messages(void **state)
{
	static const uint16_t types[] = {RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE, RTM_GETNEIGH};
	struct lab *lab = *state;
	struct mirror *m = lab->mirror;
	struct captured c = {.n = 0};
	uint32_t lengths[2][129];

	lab_run("ip route add 198.51.100.0/24 mtu 1300 nexthop via 192.0.2.7 nexthop via 192.0.2.8;"
		"ip route add 198.51.101.0/24 via inet6 fe80::5 dev zva;"
		"ip route add 2001:db8:30::/48 nexthop via 2001:db8:1::7 nexthop via 2001:db8:1::8;"
		"ip neigh add 192.0.2.7 lladdr 02:00:00:00:00:07 dev zva");
	lab_follow(lab);
	lab_expect(lab, "198.51.100.1", NEXTHOP_ETHER);
	memcpy(lengths, m->lengths, sizeof(lengths));
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		assert_int_equal(netlink_dump(m->netlink, types[i], AF_UNSPEC, capture, &c), 0);
	assert_true(c.n > 20);
	m->events = (struct mirror_events){0};
	for (unsigned int round = 0; round < 3; round++) {
		for (unsigned int i = 0; i < c.n; i++) {
			damage(m, c.message[i]);
			mirror_settle(m);
		}
		m->resync_all = true;
		mirror_tick(m);
		assert_false(m->resync_all);
		lab_expect(lab, "198.51.100.1", NEXTHOP_ETHER);
		lab_expect(lab, "192.0.2.1", NEXTHOP_LOCAL);
		lab_expect(lab, "2001:db8:30::1", NEXTHOP_UNRESOLVED);
		assert_memory_equal(m->lengths, lengths, sizeof(lengths));
	}
	while (c.n-- > 0)
		free(c.message[c.n]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(survives_malformed_messages),
	};

	return cmocka_run_group_tests(tests, lab_setup, lab_teardown);
}
