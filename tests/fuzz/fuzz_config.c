/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "config/config.h"
#include "fuzz.h"

/* Input: the text of a configuration file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size > 0 ? size : 1);
	struct config *config = NULL;
	struct fault fault = {0};

	memcpy(text, data, size);
	int err = config_parse(text, size, &config, &fault);
	if (err == 0) {
		must(config != NULL && config->ports_count > 0 && config->lcores_count > 0);
		config_free(config);
	} else {
		/* Somebody must be able to mend it. */
		must(fault.err == -err && fault.what[0] != '\0');
		must(memchr(fault.what, '\0', sizeof(fault.what)) != NULL);
	}
	free(text);
	return 0;
}
