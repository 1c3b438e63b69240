/* SPDX-License-Identifier: BSD-3-Clause */
#include "report/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int fault_set(struct fault *f, int err, const char *where, const char *fmt, ...)
{
	if (f == NULL)
		return -err;
	f->err = err;
	snprintf(f->where, sizeof(f->where), "%s", where);
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(f->what, sizeof(f->what), fmt, ap);
	va_end(ap);
	return -err;
}

int fault_under(struct fault *f, const char *fmt, ...)
{
	char inner[sizeof(f->where)];
	char outer[sizeof(f->where)];

	va_list ap;
	va_start(ap, fmt);
	vsnprintf(outer, sizeof(outer), fmt, ap);
	va_end(ap);
	memcpy(inner, f->where, sizeof(inner));
	const char *dot = inner[0] != '\0' && inner[0] != '[' ? "." : "";
	int len = snprintf(f->where, sizeof(f->where), "%.47s%s", outer, dot);
	snprintf(f->where + len, sizeof(f->where) - (size_t)len, "%s", inner);
	return -f->err;
}
