/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>
#include <bpf/libbpf.h>
#include <xdp/libxdp.h>

#include "daemon.h"

/*
 * libbpf and libxdp speak to standard error by themselves, mostly of what is no
 * trouble: that a program other than libxdp's own is attached, for one. What is
 * comes back as an error code and is told by whoever asked.
 */
static void tell(const char *fmt, va_list args)
{
	char text[512];

	vsnprintf(text, sizeof(text), fmt, args);
	text[strcspn(text, "\n")] = '\0';
	log_debug("%s", text);
}

static int from_libbpf(enum libbpf_print_level level, const char *fmt, va_list args)
{
	if (level != LIBBPF_DEBUG)
		tell(fmt, args);
	return 0;
}

static int from_libxdp(enum libxdp_print_level level, const char *fmt, va_list args)
{
	if (level != LIBXDP_DEBUG)
		tell(fmt, args);
	return 0;
}

void voices_quiet(void)
{
	libbpf_set_print(from_libbpf);
	libxdp_set_print(from_libxdp);
}
