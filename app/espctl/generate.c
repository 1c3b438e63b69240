/* SPDX-License-Identifier: BSD-3-Clause */
#include "generate.h"

#include <string.h>

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "completion") == 0)
		generate_completion(stdout);
	else if (argc == 2 && strcmp(argv[1], "manual") == 0)
		generate_manual(stdout);
	else
		return 2;
	return fflush(stdout) == 0 ? 0 : 1;
}
