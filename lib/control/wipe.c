/* SPDX-License-Identifier: BSD-3-Clause */
#include <jansson.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "control/wipe.h"

void *wipe_malloc(size_t size)
{
	return malloc(size);
}

void wipe_free(void *p)
{
	if (p != NULL)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

void wipe_json(void)
{
	json_set_alloc_funcs(wipe_malloc, wipe_free);
}
