/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONTROL_SOCKET_FILE_H
#define ESPALIER_CONTROL_SOCKET_FILE_H

#include <sys/types.h>

#include "report/fault.h"

/* A listening Unix stream socket and the file by which clients find it. */
struct socket_file {
	int fd;
	char path[108];
	dev_t dev; /* which file it is, so that no other is removed */
	ino_t ino;
	gid_t gid; /* group of the file */
};

/*
 * The file is made under another name, gets mode and group while nobody can
 * connect yet, and then takes its place, over one that a dead process left.
 * 0, or -errno with *fault: EADDRINUSE where somebody answers on `path`, EEXIST
 * where it is no socket.
 */
int socket_file_open(struct socket_file *s, const char *path, unsigned int mode, const char *group,
		     struct fault *fault);
/* Removes the file unless another process has put its own there. */
void socket_file_close(struct socket_file *s);

#endif
