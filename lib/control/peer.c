/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/class.h"
#include "control/peer.h"

/* Supplementary groups at the time of connect(); at most NGROUPS_MAX, 65536. */
static int is_member(int fd, gid_t group)
{
	socklen_t len = 0;
	int member = 0;

	/* The first call tells the size, by ERANGE. */
	getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &len);
	gid_t *groups = len > 0 ? malloc(len) : NULL;
	if (groups == NULL)
		return 0;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) == 0) {
		for (socklen_t i = 0; i < len / sizeof(*groups) && !member; i++)
			member = groups[i] == group;
	}
	free(groups);
	return member;
}

unsigned int peer_rights(int fd, gid_t group, struct peer *peer)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	*peer = (struct peer){.pid = -1, .uid = (uid_t)-1, .gid = (gid_t)-1};
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0)
		return 0;
	*peer = (struct peer){.pid = cred.pid, .uid = cred.uid, .gid = cred.gid};
	if (cred.uid == 0 || cred.uid == geteuid() || cred.gid == group || is_member(fd, group))
		return CONTROL_ALL;
	return CONTROL_READ;
}
