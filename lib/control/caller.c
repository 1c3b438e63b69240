/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "control/caller.h"

void caller_init(struct caller *c, unsigned int rights, const struct peer *peer)
{
	*c = (struct caller){.rights = rights, .peer = *peer};
	TAILQ_INIT(&c->spis);
}

/* A process chooses this name itself: nothing that disturbs a log or a terminal is kept. */
static void read_comm(struct caller *c)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)c->peer.pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, c->comm, sizeof(c->comm) - 1) : 0;
	if (fd >= 0)
		close(fd);
	c->comm[n > 0 ? n : 0] = '\0';
	c->comm[strcspn(c->comm, "\n")] = '\0';
	for (char *p = c->comm; *p != '\0'; p++)
		if (!isalnum((unsigned char)*p) && strchr("._-:@+/ ", *p) == NULL)
			*p = '?';
	if (c->comm[0] == '\0')
		memcpy(c->comm, "unknown", sizeof("unknown"));
}

const char *caller_actor(struct caller *c)
{
	if (c->peer.pid < 0 && c->session == NULL)
		return NULL;
	if (c->session == NULL && c->comm[0] == '\0')
		read_comm(c);
	snprintf(c->actor, sizeof(c->actor), "%s (pid %d, uid %u)",
		 c->session != NULL ? c->session->name : c->comm, (int)c->peer.pid, c->peer.uid);
	return c->actor;
}
