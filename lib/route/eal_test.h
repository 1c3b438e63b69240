/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_ROUTE_EAL_TEST_H
#define ESPALIER_ROUTE_EAL_TEST_H

#include <stdio.h>
#include <unistd.h>
#include <rte_common.h>
#include <rte_eal.h>

/* EAL for a test: its own memory, no devices, nothing shared with another process. */
static inline int eal_test_init(void)
{
	char prefix[64];

	snprintf(prefix, sizeof(prefix), "--file-prefix=route_test_%d", (int)getpid());
	char *argv[] = {"t",   "--no-huge",   "--no-pci",       "-m",
			"512", "--no-shconf", "--no-telemetry", "--log-level=error",
			"-l",  "0",           prefix,           NULL};

	return rte_eal_init(RTE_DIM(argv) - 1, argv);
}

#endif
