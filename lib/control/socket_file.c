/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/socket_file.h"

#define BACKLOG 256

static int fault_errno(struct fault *fault, const char *path, const char *what)
{
	int err = errno;

	return fault_set(fault, err, "socket", "%s: %s: %s", path, what, strerror(err));
}

static int find_group(const char *name, gid_t *gid, struct fault *fault)
{
	char buf[4096], *end;
	struct group entry, *found = NULL;

	*gid = (gid_t)-1;
	if (name == NULL)
		return 0;
	if (getgrnam_r(name, &entry, buf, sizeof(buf), &found) == 0 && found != NULL) {
		*gid = found->gr_gid;
		return 0;
	}
	unsigned long number = strtoul(name, &end, 10);
	if (name[0] < '0' || name[0] > '9' || *end != '\0' || number >= UINT32_MAX)
		return fault_set(fault, ENOENT, "group",
				 "there is no group \"%s\" on this machine (groupadd makes one)",
				 name);
	*gid = (gid_t)number;
	return 0;
}

/* 0 where `path` is free or a dead process's socket. */
static int check_path(const struct sockaddr_un *addr, struct fault *fault)
{
	const char *path = addr->sun_path;
	struct stat st;

	if (lstat(path, &st) != 0)
		return errno == ENOENT ? 0 : fault_errno(fault, path, "cannot be looked at");
	if (!S_ISSOCK(st.st_mode))
		return fault_set(fault, EEXIST, "socket",
				 "%s exists and is no socket; remove it or choose another path",
				 path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fault_errno(fault, path, "socket");
	int rc = connect(fd, (const struct sockaddr *)addr, sizeof(*addr));
	int err = rc == 0 ? 0 : errno;
	close(fd);
	if (err == ECONNREFUSED || err == ENOENT)
		return 0;
	if (err == 0 || err == EAGAIN)
		return fault_set(fault, EADDRINUSE, "socket",
				 "another process answers on %s; stop it or choose another path",
				 path);
	errno = err;
	return fault_errno(fault, path, "cannot tell whether another process uses it");
}

/* /run/espalier may not be there yet; its parent must be. */
static void make_directory(const char *path)
{
	char dir[sizeof(((struct sockaddr_un *)0)->sun_path)];

	snprintf(dir, sizeof(dir), "%s", path);
	char *slash = strrchr(dir, '/');
	if (slash != NULL && slash != dir) {
		*slash = '\0';
		mkdir(dir, 0755);
	}
}

static int fill_address(struct sockaddr_un *addr, const char *path, struct fault *fault)
{
	*addr = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (path[0] == '\0' || strlen(path) >= sizeof(addr->sun_path))
		return fault_set(fault, ENAMETOOLONG, "socket",
				 "the path has %zu bytes; a Unix socket takes 1 to %zu",
				 strlen(path), sizeof(addr->sun_path) - 1);
	memcpy(addr->sun_path, path, strlen(path));
	return 0;
}

/* Beside `path`, so that rename() can put it in its place. */
static int fill_temporary(struct sockaddr_un *addr, const char *path, struct fault *fault)
{
	char name[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int dir = slash != NULL ? (int)(slash - path + 1) : 0;

	snprintf(name, sizeof(name), "%.*s.ctl%d", dir, path, (int)getpid());
	return fill_address(addr, name, fault);
}

static int bind_and_place(struct socket_file *s, const struct sockaddr_un *addr, unsigned int mode,
			  gid_t gid, struct fault *fault)
{
	struct sockaddr_un made;
	struct stat st;
	int rc = fill_temporary(&made, s->path, fault);

	if (rc != 0)
		return rc;
	unlink(made.sun_path);
	if (bind(s->fd, (struct sockaddr *)&made, sizeof(made)) != 0)
		return fault_errno(fault, made.sun_path, "bind");
	/* Nobody can connect before listen(). chown first: it may clear mode bits. */
	if (gid != (gid_t)-1 && lchown(made.sun_path, (uid_t)-1, gid) != 0)
		rc = fault_errno(fault, s->path, "cannot give it to the group");
	else if (chmod(made.sun_path, mode) != 0)
		rc = fault_errno(fault, s->path, "chmod");
	else if (listen(s->fd, BACKLOG) != 0)
		rc = fault_errno(fault, s->path, "listen");
	else if (lstat(made.sun_path, &st) != 0 || rename(made.sun_path, addr->sun_path) != 0)
		rc = fault_errno(fault, s->path, "rename");
	if (rc != 0) {
		unlink(made.sun_path);
		return rc;
	}
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	s->gid = st.st_gid;
	return 0;
}

int socket_file_open(struct socket_file *s, const char *path, unsigned int mode, const char *group,
		     struct fault *fault)
{
	struct sockaddr_un addr;
	gid_t gid;

	*s = (struct socket_file){.fd = -1};
	int rc = fill_address(&addr, path, fault);
	if (rc == 0)
		rc = find_group(group, &gid, fault);
	if (rc == 0)
		rc = check_path(&addr, fault);
	if (rc != 0)
		return rc;
	memcpy(s->path, addr.sun_path, sizeof(s->path));
	make_directory(path);
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0)
		return fault_errno(fault, path, "socket");
	rc = bind_and_place(s, &addr, mode, gid, fault);
	if (rc != 0) {
		close(s->fd);
		s->fd = -1;
	}
	return rc;
}

void socket_file_close(struct socket_file *s)
{
	struct stat st;

	if (s->fd < 0)
		return;
	if (lstat(s->path, &st) == 0 && st.st_dev == s->dev && st.st_ino == s->ino)
		unlink(s->path);
	close(s->fd);
	s->fd = -1;
}
