/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONTROL_PEER_H
#define ESPALIER_CONTROL_PEER_H

#include <sys/types.h>

/* Who connected, as the kernel says. */
struct peer {
	pid_t pid;
	uid_t uid;
	gid_t gid;
};

/*
 * The rights (control_class bits) of the process at the other end of `fd`: all
 * for root, our own user and members of `group`; to read for anybody else whom
 * the mode of the file lets in; 0 where the kernel does not tell.
 */
unsigned int peer_rights(int fd, gid_t group, struct peer *peer);

#endif
