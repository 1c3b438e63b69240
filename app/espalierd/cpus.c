/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "daemon.h"

static size_t print_set(const cpu_set_t *set, char *out, size_t size)
{
	size_t at = 0;

	out[0] = '\0';
	for (unsigned int cpu = 0; cpu < CPU_SETSIZE && at < size; cpu++) {
		unsigned int last = cpu;
		if (!CPU_ISSET(cpu, set))
			continue;
		while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, set))
			last++;
		at += (size_t)snprintf(out + at, size - at, last > cpu ? "%s%u-%u" : "%s%u",
				       at > 0 ? "," : "", cpu, last);
		cpu = last;
	}
	return at;
}

int cpus_argument(const struct config *config, char *out, size_t size, struct fault *fault)
{
	cpu_set_t allowed, control;
	char text[512], where[48];

	if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0)
		return fault_set(fault, errno, "workers.lcores", "CPUs cannot be read: %s",
				 strerror(errno));
	control = allowed;
	print_set(&allowed, text, sizeof(text));
	for (size_t i = 0; i < config->lcores_count; i++) {
		snprintf(where, sizeof(where), "workers.lcores[%zu]", i);
		if (config->lcores[i] >= CPU_SETSIZE || !CPU_ISSET(config->lcores[i], &allowed))
			return fault_set(
			    fault, EINVAL, where,
			    "there is no CPU %u for this process; it may run on %.150s",
			    config->lcores[i], text);
		CPU_CLR(config->lcores[i], &control);
	}
	/* With a worker on every CPU control runs beside them. */
	print_set(CPU_COUNT(&control) > 0 ? &control : &allowed, text, sizeof(text));
	size_t at = (size_t)snprintf(out, size, "0@(%s)", text);
	for (size_t i = 0; i < config->lcores_count && at < size; i++)
		at += (size_t)snprintf(out + at, size - at, ",%zu@%u", i + 1, config->lcores[i]);
	return at < size ? 0 : fault_set(fault, EINVAL, "workers.lcores", "too many CPUs");
}
