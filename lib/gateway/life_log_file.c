/* SPDX-License-Identifier: BSD-3-Clause */
#include "gateway/life_log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define PATH_ROOM 4096

/* /var/log/espalier, where no service manager has made it. */
static void make_parent(const char *path)
{
	char parent[PATH_ROOM];
	const char *slash = strrchr(path, '/');

	if (slash == NULL || slash == path || (size_t)(slash - path) >= sizeof(parent))
		return;
	memcpy(parent, path, (size_t)(slash - path));
	parent[slash - path] = '\0';
	mkdir(parent, 0750);
}

/* Lines of a crashed process may end in the middle. */
static bool ends_in_line(int fd, off_t size)
{
	char last;

	return size > 0 && (pread(fd, &last, 1, size - 1) != 1 || last != '\n');
}

/* O_NONBLOCK: a FIFO of that name must not stop the control thread. */
static int open_at(struct life_log_file *f, const char *path, int flags)
{
	struct stat st;
	int fd = open(
	    path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | flags, 0640);

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) != 0 || fstat(fd, &st) != 0) {
		int err = errno;
		close(fd);
		return -err;
	}
	if (!S_ISREG(st.st_mode)) {
		close(fd);
		return -EINVAL;
	}
	f->fd = fd;
	f->size = (uint64_t)st.st_size;
	f->torn = ends_in_line(fd, st.st_size);
	return 0;
}

int life_log_file_open(struct life_log_file *f, const struct life_log_config *config,
		       struct fault *fault)
{
	*f = (struct life_log_file){.limit = config->size, .keep = config->keep, .fd = -1};
	f->path = strdup(config->path);
	if (f->path == NULL)
		return fault_set(fault, ENOMEM, "", "no memory");
	make_parent(f->path);
	int err = open_at(f, f->path, 0);
	if (err == 0)
		return 0;
	free(f->path);
	if (err == -EWOULDBLOCK)
		return fault_set(fault, EBUSY, "",
				 "another gateway writes %s: each needs a file of its own",
				 config->path);
	if (err == -EINVAL)
		return fault_set(fault, EINVAL, "", "%s is no regular file", config->path);
	return fault_set(fault, -err, "", "%s cannot be written: %s", config->path, strerror(-err));
}

void life_log_file_close(struct life_log_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	free(f->path);
}

static const char *numbered(const struct life_log_file *f, unsigned int n, char buf[PATH_ROOM])
{
	if (n == 0)
		return f->path;
	snprintf(buf, PATH_ROOM, "%s.%u", f->path, n);
	return buf;
}

/* Nothing is renamed before the new file is there. */
static int rotate(struct life_log_file *f)
{
	char from[PATH_ROOM], to[PATH_ROOM], fresh[PATH_ROOM];
	struct life_log_file old = *f;

	snprintf(fresh, sizeof(fresh), "%s.new", f->path);
	int err = open_at(f, fresh, O_TRUNC);
	if (err != 0)
		return err;
	for (unsigned int n = f->keep; n > 0 && err == 0; n--)
		if (rename(numbered(f, n - 1, from), numbered(f, n, to)) != 0 && errno != ENOENT)
			err = -errno;
	if (err == 0 && rename(fresh, f->path) != 0)
		err = -errno;
	if (err != 0) {
		close(f->fd);
		unlink(fresh);
		*f = old;
		return err;
	}
	close(old.fd);
	return 0;
}

int life_log_file_append(struct life_log_file *f, const char *line)
{
	size_t len = strlen(line);
	char newline[] = "\n";

	/* Where there can be no new file the old one grows: a line is worth more than its place. */
	if (f->size > 0 && f->size + len + 1 > f->limit)
		rotate(f);
	struct iovec parts[3] = {{newline, f->torn}, {(void *)(uintptr_t)line, len}, {newline, 1}};
	ssize_t whole = (ssize_t)(parts[0].iov_len + len + 1);
	ssize_t n = writev(f->fd, parts, 3);
	if (n > 0)
		f->size += (uint64_t)n;
	f->torn = n == whole ? false : f->torn || n > 0;
	if (n < 0)
		return -errno;
	return n == whole ? 0 : -ENOSPC;
}

/* The lines found so far, newest first. */
struct found {
	char **line;
	unsigned int count, limit;
	const char *wanted;
};

static int take_line(struct found *found, const char *text, size_t len)
{
	size_t wanted = strlen(found->wanted);

	if (len == 0 || (wanted > 0 && memmem(text, len, found->wanted, wanted) == NULL))
		return 0;
	char *copy = strndup(text, len);
	if (copy == NULL)
		return -ENOMEM;
	found->line[found->count++] = copy;
	return 0;
}

static int search_text(struct found *found, const char *text, size_t len)
{
	int err = 0;

	while (len > 0 && found->count < found->limit && err == 0) {
		const char *newline = memrchr(text, '\n', len);
		size_t start = newline != NULL ? (size_t)(newline - text) + 1 : 0;
		err = take_line(found, text + start, len - start);
		len = start > 0 ? start - 1 : 0;
	}
	return err;
}

static int read_whole(const char *path, char **text, size_t *len)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t n = -1;

	*text = NULL;
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &st) == 0 && (*text = malloc((size_t)st.st_size + 1)) != NULL)
		n = pread(fd, *text, (size_t)st.st_size, 0);
	int err = n < 0 ? -(errno != 0 ? errno : EIO) : 0;
	close(fd);
	*len = n > 0 ? (size_t)n : 0;
	return err;
}

int life_log_file_read(const struct life_log_file *f, const char *wanted, unsigned int limit,
		       void (*line)(void *arg, const char *text, size_t len), void *arg)
{
	struct found found = {calloc(limit, sizeof(char *)), 0, limit, wanted};
	char path[PATH_ROOM];
	int err = found.line == NULL ? -ENOMEM : 0;

	for (unsigned int n = 0; n <= f->keep && found.count < limit && err == 0; n++) {
		char *text;
		size_t len;
		err = read_whole(numbered(f, n, path), &text, &len);
		if (err == 0 && text != NULL)
			err = search_text(&found, text, len);
		free(text);
	}
	while (found.count > 0) {
		char *one = found.line[--found.count];
		if (err == 0)
			line(arg, one, strlen(one));
		free(one);
	}
	free(found.line);
	return err;
}
