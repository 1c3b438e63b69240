/* SPDX-License-Identifier: BSD-3-Clause */
#include "port/host_state.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>
#include <rte_errno.h>
#include <rte_lcore.h>

#include "packet/packet.h"
#include "report/log.h"

#define BURST 64
#define EVENTS 64
#define NAP_MIN_NS 20000L
#define NAP_MAX_NS 500000L

static void lock(struct host *h)
{
	atomic_fetch_add(&h->waiting, 1);
	pthread_mutex_lock(&h->lock);
	atomic_fetch_sub(&h->waiting, 1);
}

static void unlock(struct host *h)
{
	pthread_mutex_unlock(&h->lock);
}

/* Returns how many packets were taken from the ring. */
static unsigned int drain(struct host *h)
{
	struct rte_mbuf *m[BURST];
	unsigned int n = rte_ring_dequeue_burst(h->ring, (void **)m, BURST, NULL);

	for (unsigned int i = 0; i < n; i++) {
		uint16_t id = packet_carry(m[i])->device;

		host_write(h, id < HOST_NONE ? h->device[id] : NULL, m[i]);
	}
	return n;
}

static void read_ready(struct host *h, const struct epoll_event *event, int n)
{
	for (int i = 0; i < n; i++) {
		struct host_device *d = h->device[event[i].data.u32];

		if (d == NULL || host_read(h, d, BURST))
			continue;
		log_warning("device %s was removed by somebody else", d->name);
		epoll_ctl(h->epoll, EPOLL_CTL_DEL, d->fd, NULL);
	}
}

/* The control thread must get its turn also while packets never stop. */
static void stand_back(struct host *h)
{
	const struct timespec turn = {0, 50000};

	while (atomic_load(&h->waiting) > 0)
		nanosleep(&turn, NULL);
}

static long next_nap(long nap, unsigned int moved)
{
	if (moved == BURST)
		return 0;
	if (moved > 0 || nap == 0)
		return NAP_MIN_NS;
	return RTE_MIN(nap * 2, NAP_MAX_NS);
}

/*
 * Workers never make a system call, so nothing wakes this thread when one puts
 * a packet on the ring: it looks after naps that grow while there is nothing.
 */
static void *run(void *arg)
{
	struct host *h = arg;
	struct epoll_event event[EVENTS];
	long nap = NAP_MIN_NS;

	/* A thread that DPDK knows has a cache in the packet pool. */
	bool registered = rte_thread_register() == 0;
	if (!registered)
		log_debug("host thread without a pool cache: %s", rte_strerror(rte_errno));
	while (!atomic_load(&h->stop)) {
		const struct timespec wait = {0, nap};
		int n = epoll_pwait2(h->epoll, event, EVENTS, &wait, NULL);

		if (n < 0 && errno == ENOSYS) /* before Linux 5.11 */
			n = epoll_wait(h->epoll, event, EVENTS, 1);
		stand_back(h);
		pthread_mutex_lock(&h->lock);
		unsigned int moved = drain(h);
		if (n > 0)
			read_ready(h, event, n);
		pthread_mutex_unlock(&h->lock);
		nap = next_nap(nap, moved);
	}
	if (registered)
		rte_thread_unregister();
	return NULL;
}

/* The main thread is bound to one CPU by the EAL; a spinning worker may own that one. */
static int start_thread(struct host *h)
{
	sigset_t all, before;
	pthread_attr_t attr;
	cpu_set_t cpus;

	sigfillset(&all);
	CPU_ZERO(&cpus);
	for (int i = 0; i < CPU_SETSIZE; i++)
		CPU_SET(i, &cpus);
	pthread_attr_init(&attr);
	pthread_attr_setaffinity_np(&attr, sizeof(cpus), &cpus);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int err = pthread_create(&h->thread, &attr, run, h);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	if (err == 0)
		pthread_setname_np(h->thread, "host");
	h->running = err == 0;
	return -err;
}

static int prepare(struct host *h)
{
	static _Atomic unsigned int serial;
	char name[RTE_RING_NAMESIZE];

	snprintf(name, sizeof(name), "host_%u", atomic_fetch_add(&serial, 1));
	h->ring = rte_ring_create(name, h->config.ring_size, SOCKET_ID_ANY, RING_F_SC_DEQ);
	if (h->ring == NULL)
		return -rte_errno;
	h->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (h->epoll < 0)
		return -errno;
	return start_thread(h);
}

struct host *host_start(const struct host_config *config, struct fault *fault)
{
	struct host *h = calloc(1, sizeof(*h));

	if (h == NULL) {
		fault_set(fault, ENOMEM, "", "no memory for the host thread");
		return NULL;
	}
	h->config = *config;
	h->epoll = -1;
	pthread_mutex_init(&h->lock, NULL);
	int err = prepare(h);
	if (err != 0) {
		fault_set(fault, -err, "", "cannot start the host thread: %s", strerror(-err));
		host_stop(h);
		return NULL;
	}
	return h;
}

static void close_device(struct host_device *d)
{
	if (d == NULL)
		return;
	close(d->fd);
	free(d);
}

void host_stop(struct host *h)
{
	struct rte_mbuf *m;

	if (h == NULL)
		return;
	atomic_store(&h->stop, true);
	if (h->running)
		pthread_join(h->thread, NULL);
	for (unsigned int i = 0; i < HOST_DEVICES_MAX; i++)
		close_device(h->device[i]);
	while (h->ring != NULL && rte_ring_dequeue(h->ring, (void **)&m) == 0)
		rte_pktmbuf_free(m);
	rte_pktmbuf_free(h->spare);
	rte_ring_free(h->ring);
	if (h->epoll >= 0)
		close(h->epoll);
	pthread_mutex_destroy(&h->lock);
	free(h);
}

/* Ids go round, so that a packet still queued for a removed device meets no other. */
static int enter(struct host *h, struct host_device *d)
{
	for (unsigned int i = 0; i < HOST_NONE; i++) {
		uint16_t id = (uint16_t)((h->next + i) % HOST_NONE);

		if (h->device[id] != NULL)
			continue;
		struct epoll_event event = {.events = EPOLLIN, .data.u32 = id};
		if (epoll_ctl(h->epoll, EPOLL_CTL_ADD, d->fd, &event) != 0)
			return -errno;
		d->id = id;
		h->device[id] = d;
		h->next = (uint16_t)((id + 1) % HOST_NONE);
		return 0;
	}
	return -ENOSPC;
}

static int add(struct host *h, const struct host_device *what, const char *name, const uint8_t *mac,
	       uint16_t mtu, uint16_t *device, int *ifindex, struct fault *fault)
{
	if (strlen(name) >= IFNAMSIZ)
		return fault_set(fault, EINVAL, "device",
				 "\"%s\" is too long for a device name: at most %d characters",
				 name, IFNAMSIZ - 1);
	struct host_device *d = malloc(sizeof(*d));
	if (d == NULL)
		return fault_set(fault, ENOMEM, "device", "no memory for device \"%s\"", name);
	*d = *what;
	memset(d->name, 0, sizeof(d->name));
	memcpy(d->name, name, strlen(name));
	int err = host_device_make(d, mac, mtu, fault);
	if (err != 0) {
		free(d);
		return err;
	}
	int made_ifindex = d->ifindex;

	lock(h);
	err = enter(h, d);
	uint16_t id = d->id;
	unlock(h);
	if (err != 0) {
		close_device(d);
		return fault_set(fault, -err, "device", "no room for device \"%s\": %s", name,
				 strerror(-err));
	}
	*device = id;
	*ifindex = made_ifindex;
	return 0;
}

int host_tun_add(struct host *h, const char *name, uint16_t mtu, uint32_t tunnel, uint16_t *device,
		 int *ifindex, struct fault *fault)
{
	const struct host_device d = {.tap = false, .port = PORT_NONE, .tunnel = tunnel};

	return add(h, &d, name, NULL, mtu, device, ifindex, fault);
}

int host_tap_add(struct host *h, const char *name, const uint8_t mac[6], uint16_t mtu,
		 uint16_t port, uint16_t *device, int *ifindex, struct fault *fault)
{
	const struct host_device d = {.tap = true, .port = port, .tunnel = TUNNEL_NONE};

	return add(h, &d, name, mac, mtu, device, ifindex, fault);
}

/* The control thread alone changes the table, so it may read without the lock. */
int host_device_mtu(struct host *h, uint16_t device, uint16_t mtu)
{
	if (device >= HOST_NONE || h->device[device] == NULL)
		return -ENODEV;
	return host_device_set_mtu(h->device[device], mtu);
}

void host_device_remove(struct host *h, uint16_t device)
{
	if (device >= HOST_NONE)
		return;
	lock(h);
	struct host_device *d = h->device[device];
	h->device[device] = NULL;
	unlock(h);
	/* Closing the only descriptor also takes it out of the epoll set. */
	close_device(d);
}

unsigned int host_to_kernel(struct host *h, uint16_t device, struct rte_mbuf **m, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		packet_carry(m[i])->device = device;
	return rte_ring_enqueue_burst(h->ring, (void **)m, n, NULL);
}

void host_counters(const struct host *h, struct host_counters *out)
{
	out->to_kernel = atomic_load_explicit(&h->to_kernel, memory_order_relaxed);
	out->from_kernel = atomic_load_explicit(&h->from_kernel, memory_order_relaxed);
	out->refused = atomic_load_explicit(&h->refused, memory_order_relaxed);
	out->no_buffer = atomic_load_explicit(&h->no_buffer, memory_order_relaxed);
	out->undelivered = atomic_load_explicit(&h->undelivered, memory_order_relaxed);
}
