/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <rte_eal.h>
#include <rte_errno.h>

#include "daemon.h"
#include "report/log.h"

#define MEGABYTE (UINT64_C(1) << 20)
#define HUGEPAGE (2 * MEGABYTE)
#define ARGUMENTS 24

/* EAL keeps pointers to its arguments. */
static struct arguments {
	char *argv[256];
	int argc;
	struct text {
		char text[2048];
	} made[ARGUMENTS];
	int used;
} arguments;

static void add(struct arguments *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(struct arguments *a, const char *fmt, ...)
{
	va_list ap;

	if (a->used == ARGUMENTS)
		return;
	va_start(ap, fmt);
	vsnprintf(a->made[a->used].text, sizeof(a->made[0].text), fmt, ap);
	va_end(ap);
	a->argv[a->argc++] = a->made[a->used++].text;
}

static uint64_t memory_needed(const struct config *config)
{
	uint64_t pool = (uint64_t)pool_buffers(config) * pool_buffer_bytes(config);
	/* rte_lpm has 64 MB; each rte_lpm6 at most 1 kB a route and 64 MB. */
	uint64_t routes = 256 * MEGABYTE + config->routes_max * UINT64_C(3072);
	uint64_t workers = config->lcores_count * (config->flows * UINT64_C(128) + 16 * MEGABYTE);

	return pool + routes + workers + 128 * MEGABYTE;
}

static uint64_t hugepages_free(void)
{
	static const char path[] = "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages";
	unsigned long pages = 0;
	FILE *f = fopen(path, "re");

	if (f == NULL)
		return 0;
	if (fscanf(f, "%lu", &pages) != 1)
		pages = 0;
	fclose(f);
	return pages * HUGEPAGE;
}

static int add_memory(struct arguments *a, const struct config *config, struct fault *fault)
{
	uint64_t need = memory_needed(config), have = hugepages_free();
	bool enough = have >= need;

	if (strcmp(config->hugepages, "yes") == 0 && !enough)
		return fault_set(
		    fault, EINVAL, "memory.hugepages",
		    "%lu MB are free in 2 MB pages and %lu MB are needed: reserve more "
		    "(vm.nr_hugepages = %lu), lower memory.buffers, or say auto",
		    have / MEGABYTE, need / MEGABYTE, need / HUGEPAGE + 1);
	if (strcmp(config->hugepages, "no") != 0 && enough) {
		log_info("packet memory: 2 MB pages, %lu MB", need / MEGABYTE);
		add(a, "--in-memory");
		return 0;
	}
	log_notice("packet memory: ordinary pages, %lu MB%s", need / MEGABYTE,
		   strcmp(config->hugepages, "no") == 0
		       ? ""
		       : "; slower than 2 MB pages, of which too few are free (vm.nr_hugepages)");
	add(a, "--no-huge");
	add(a, "--no-shconf");
	add(a, "--file-prefix=espalier-%d", (int)getpid());
	add(a, "-m");
	add(a, "%lu", need / MEGABYTE + 1);
	return 0;
}

/* "0000:3b:00.0", perhaps with arguments of the driver behind a comma. */
static bool is_pci(const char *device)
{
	unsigned int domain, bus, slot, function;
	int end = 0;

	if (sscanf(device, "%x:%x:%x.%x%n", &domain, &bus, &slot, &function, &end) != 4 &&
	    sscanf(device, "%x:%x.%x%n", &bus, &slot, &function, &end) != 3)
		return false;
	return device[end] == '\0' || device[end] == ',';
}

static void add_devices(struct arguments *a, const struct config *config)
{
	bool pci = false;

	for (size_t i = 0; i < config->ports_count; i++) {
		if (!is_pci(config->ports[i].device))
			continue;
		pci = true;
		a->argv[a->argc++] = (char *)(uintptr_t) "-a";
		a->argv[a->argc++] = (char *)(uintptr_t)config->ports[i].device;
	}
	if (pci)
		return;
	add(a, "--no-pci");
	/* AF_XDP takes the pool as one array, which only virtual addresses make sure of. */
	add(a, "--iova-mode=va");
}

int eal_start(const struct config *config, struct fault *fault)
{
	struct arguments *a = &arguments;
	char lcores[1024];

	int err = cpus_argument(config, lcores, sizeof(lcores), fault);
	add(a, "espalierd");
	add(a, "--lcores=%s", lcores);
	add(a, "--main-lcore=0");
	add(a, "--no-telemetry");
	add(a, "--log-level=warning");
	if (err == 0)
		err = add_memory(a, config, fault);
	add_devices(a, config);
	const int room = (int)(sizeof(a->argv) / sizeof(a->argv[0])) - 1 - a->argc;
	if (err == 0 && config->eal_count > (size_t)room)
		err = fault_set(fault, EINVAL, "eal", "%zu arguments; at most %d are possible",
				config->eal_count, room);
	if (err != 0)
		return err;
	for (size_t i = 0; i < config->eal_count; i++)
		a->argv[a->argc++] = (char *)(uintptr_t)config->eal[i];
	for (int i = 1; i < a->argc; i++)
		log_debug("EAL argument %s", a->argv[i]);
	if (rte_eal_init(a->argc, a->argv) < 0)
		return fault_set(fault, config->eal_count > 0 ? EINVAL : rte_errno,
				 config->eal_count > 0 ? "eal" : "",
				 "DPDK did not start: %s (its own lines above say more)",
				 rte_strerror(rte_errno));
	return 0;
}
