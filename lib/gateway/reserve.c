/* SPDX-License-Identifier: BSD-3-Clause */
#include "gateway/reserve.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aead/aead.h"

#define NAME_BYTES 16
#define NAME_SIZE (2 * NAME_BYTES + 1)
#define TEXT_MAX 128

struct reserve {
	char directory[200];
	int fd, lock;
	struct aead *aead;
	LIST_HEAD(, reserve_block) blocks;
};

struct reserve_block {
	LIST_ENTRY(reserve_block) in_list;
	struct reserve *r;
	char name[NAME_SIZE];
	uint64_t next; /* on disk */
	uint64_t end;
};

static void hex(const uint8_t *bytes, size_t n, char *out)
{
	for (size_t i = 0; i < n; i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

/* Domain-separated, so that it equals no other digest of the key. */
static void name_of(struct reserve *r, const uint8_t *key, size_t len, char name[NAME_SIZE])
{
	static const char label[] = "espalier sequence numbers";
	uint8_t text[sizeof(label) + AEAD_KEY_MAX], digest[32];

	memcpy(text, label, sizeof(label));
	memcpy(text + sizeof(label), key, len);
	aead_digest(r->aead, text, sizeof(label) + len, digest);
	hex(digest, NAME_BYTES, name);
	explicit_bzero(text, sizeof(text));
	explicit_bzero(digest, sizeof(digest));
}

/* The whole file for a number: whatever differs from it by a byte is not ours. */
static int render(struct reserve *r, const char *name, uint64_t next, char text[TEXT_MAX])
{
	uint8_t digest[32];
	char check[NAME_SIZE];
	int len = snprintf(text, TEXT_MAX, "%s %020" PRIu64, name, next);

	aead_digest(r->aead, text, (size_t)len, digest);
	hex(digest, NAME_BYTES, check);
	return snprintf(text, TEXT_MAX,
			"espalier sequence numbers\nnext %020" PRIu64 "\ncheck %s\n", next, check);
}

static int fault_file(const struct reserve *r, const char *name, int err, struct fault *fault,
		      const char *what)
{
	return fault_set(fault, err, "state_directory", "%s/%s %s", r->directory, name, what);
}

static int read_next(struct reserve *r, const char *name, uint64_t *next, struct fault *fault)
{
	char text[TEXT_MAX + 1], wanted[TEXT_MAX];
	int fd = openat(r->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0 && errno == ENOENT) {
		*next = 1; /* RFC 4303 3.3.3: the first packet has number 1 */
		return 0;
	}
	if (fd < 0)
		return fault_file(r, name, errno, fault, strerror(errno));
	ssize_t len = read(fd, text, TEXT_MAX);
	int err = errno;
	close(fd);
	if (len < 0)
		return fault_file(r, name, err, fault, strerror(err));
	text[len] = '\0';
	if (sscanf(text, "espalier sequence numbers\nnext %" SCNu64, next) != 1 || *next == 0 ||
	    render(r, name, *next, wanted) != len || memcmp(text, wanted, (size_t)len) != 0)
		return fault_file(r, name, EBADMSG, fault,
				  "is damaged, and which sequence numbers its key has used is not "
				  "known: make new keys at both ends, then delete the file");
	return 0;
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

/* The new file is whole and on disk before it takes the old one's place. */
static int write_next(struct reserve *r, const char *name, uint64_t next, struct fault *fault)
{
	char text[TEXT_MAX], temporary[NAME_SIZE + 4];
	int len = render(r, name, next, text);

	snprintf(temporary, sizeof(temporary), "%s.new", name);
	int fd =
	    openat(r->fd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return fault_file(r, temporary, errno, fault, strerror(errno));
	int err = write_all(fd, text, (size_t)len);
	if (err == 0 && fsync(fd) != 0)
		err = -errno;
	if (close(fd) != 0 && err == 0)
		err = -errno;
	if (err == 0 && renameat(r->fd, temporary, r->fd, name) != 0)
		err = -errno;
	if (err == 0 && fsync(r->fd) != 0)
		err = -errno;
	if (err != 0)
		return fault_file(r, name, -err, fault, strerror(-err));
	return 0;
}

struct reserve *reserve_open(const char *directory, struct fault *fault)
{
	struct reserve *r = calloc(1, sizeof(*r));

	if (r == NULL) {
		fault_set(fault, ENOMEM, "", "out of memory");
		return NULL;
	}
	r->fd = r->lock = -1;
	LIST_INIT(&r->blocks);
	snprintf(r->directory, sizeof(r->directory), "%s", directory);
	if (mkdir(directory, 0700) != 0 && errno != EEXIST) {
		fault_set(fault, errno, "state_directory", "%s cannot be made: %s", directory,
			  strerror(errno));
		goto fail;
	}
	r->fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->fd >= 0)
		r->lock = openat(r->fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (r->lock < 0) {
		fault_set(fault, errno, "state_directory", "%s cannot be used: %s", directory,
			  strerror(errno));
		goto fail;
	}
	if (flock(r->lock, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EWOULDBLOCK)
			fault_set(fault, EBUSY, "state_directory",
				  "another espalierd uses %s; every daemon needs its own",
				  directory);
		else
			fault_set(fault, errno, "state_directory", "%s cannot be locked: %s",
				  directory, strerror(errno));
		goto fail;
	}
	r->aead = aead_create();
	if (r->aead == NULL) {
		fault_set(fault, ENOTSUP, "", "this CPU lacks AES-NI, which intel-ipsec-mb needs");
		goto fail;
	}
	return r;
fail:
	reserve_close(r);
	return NULL;
}

void reserve_close(struct reserve *r)
{
	if (r == NULL)
		return;
	if (r->aead != NULL)
		aead_destroy(r->aead);
	if (r->lock >= 0)
		close(r->lock);
	if (r->fd >= 0)
		close(r->fd);
	free(r);
}

int reserve_more(struct reserve_block *b, uint64_t count, uint64_t *limit, struct fault *fault)
{
	if (b->next > b->end)
		return fault_set(fault, ENOSPC, "key",
				 "its sequence numbers are used up; make new keys at both ends");
	uint64_t last = b->end - b->next < count - 1 ? b->end : b->next + count - 1;
	int err = write_next(b->r, b->name, last + 1, fault);
	if (err != 0)
		return err;
	b->next = last + 1;
	*limit = last;
	return 0;
}

int reserve_take(struct reserve *r, const uint8_t *key, size_t len, uint64_t end, uint64_t *first,
		 uint64_t *limit, struct reserve_block **out, struct fault *fault)
{
	struct reserve_block *b = calloc(1, sizeof(*b)), *other;

	if (b == NULL)
		return fault_set(fault, ENOMEM, "", "out of memory");
	b->r = r;
	b->end = end;
	name_of(r, key, len, b->name);
	int err = 0;
	LIST_FOREACH (other, &r->blocks, in_list)
		if (strcmp(other->name, b->name) == 0)
			err = fault_set(fault, EEXIST, "key",
					"another SA sends with this key and salt");
	if (err == 0)
		err = read_next(r, b->name, &b->next, fault);
	*first = b->next;
	if (err == 0)
		err = reserve_more(b, RESERVE_BLOCK, limit, fault);
	if (err != 0) {
		free(b);
		return err;
	}
	LIST_INSERT_HEAD(&r->blocks, b, in_list);
	*out = b;
	return 0;
}

void reserve_block_free(struct reserve_block *b)
{
	if (b == NULL)
		return;
	LIST_REMOVE(b, in_list);
	free(b);
}
