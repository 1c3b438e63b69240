/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/check.h"
#include "config/complaint.h"
#include "config/schema.h"
#include "config/secret.h"
#include "config/shape.h"

#define FILE_MAX (64u << 20)

/* What config_free() needs besides the public part. */
struct loaded {
	struct config config;   /* first */
	struct raw_config *raw; /* owner of the strings */
};

static const cyaml_config_t quiet = {.mem_fn = cyaml_mem, .log_level = CYAML_LOG_ERROR};

static int read_shape(const char *text, size_t len, struct raw_config **out, struct fault *fault)
{
	struct complaint complaint = {0};
	cyaml_config_t loud = quiet;
	void *data = NULL;

	int err = config_shape_check(text, len, fault);
	if (err != 0)
		return err;
	loud.log_fn = complaint_log;
	loud.log_ctx = &complaint;
	cyaml_err_t result =
	    cyaml_load_data((const uint8_t *)text, len, &loud, &config_schema, &data, NULL);
	if (result != CYAML_OK)
		return complaint_fault(&complaint, result, fault);
	*out = data;
	return 0;
}

static int build(struct loaded *l, const struct secrets *secrets, struct fault *fault)
{
	static const struct raw_config nothing;
	struct check c = {.config = &l->config,
			  .raw = l->raw != NULL ? l->raw : &nothing,
			  .secrets = secrets,
			  .fault = fault};
	int err = check_config(&c);

	free(c.tunnels_sorted);
	return err;
}

/* `text` is changed: its keys are hidden and wiped. */
static int parse(const char *file, char *text, size_t len, struct config **out, struct fault *fault)
{
	struct fault ignored;
	struct secrets secrets;
	struct loaded *l = calloc(1, sizeof(*l));

	if (fault == NULL)
		fault = &ignored;
	if (l == NULL || secrets_hide(&secrets, text, len) != 0) {
		free(l);
		return fault_set(fault, ENOMEM, "", "out of memory");
	}
	l->config.file = strdup(file);
	int err = l->config.file == NULL ? fault_set(fault, ENOMEM, "", "out of memory")
					 : read_shape(text, len, &l->raw, fault);
	if (err == 0)
		err = build(l, &secrets, fault);
	secrets_free(&secrets);
	if (err != 0) {
		config_free(&l->config);
		return err;
	}
	*out = &l->config;
	return 0;
}

int config_parse(const char *text, size_t len, struct config **out, struct fault *fault)
{
	char *copy = malloc(len + 1);

	if (copy == NULL)
		return fault_set(fault, ENOMEM, "", "out of memory");
	memcpy(copy, text, len);
	copy[len] = '\0';
	int err = parse("", copy, len, out, fault);
	explicit_bzero(copy, len);
	free(copy);
	return err;
}

static int read_all(int fd, char *text, size_t size, size_t *len)
{
	*len = 0;
	while (*len < size) {
		ssize_t n = read(fd, text + *len, size - *len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		*len += (size_t)n;
	}
	return 0;
}

int config_load(const char *file, struct config **out, struct fault *fault)
{
	struct stat st;
	int fd = open(file, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) != 0) {
		int err = fault_set(fault, errno, "", "cannot be read: %s", strerror(errno));
		if (fd >= 0)
			close(fd);
		return err;
	}
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX) {
		close(fd);
		return fault_set(fault, EINVAL, "",
				 "is %s; a regular file of at most 64 MB is needed",
				 S_ISREG(st.st_mode) ? "too large" : "no regular file");
	}
	size_t size = (size_t)st.st_size + 1, len = 0;
	char *text = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (text == MAP_FAILED) {
		close(fd);
		return fault_set(fault, ENOMEM, "", "out of memory");
	}
	/* The text may hold keys: neither in a dump nor, where allowed, in swap. */
	madvise(text, size, MADV_DONTDUMP);
	mlock(text, size);
	int err = read_all(fd, text, size, &len);
	close(fd);
	if (err != 0)
		fault_set(fault, -err, "", "cannot be read: %s", strerror(-err));
	else
		err = parse(file, text, len, out, fault);
	explicit_bzero(text, size);
	munmap(text, size);
	return err;
}

void config_wipe_keys(struct config *c)
{
	for (size_t i = 0; i < c->tunnels_count; i++) {
		explicit_bzero(c->tunnels[i].in.key, sizeof(c->tunnels[i].in.key));
		explicit_bzero(c->tunnels[i].out.key, sizeof(c->tunnels[i].out.key));
	}
}

void config_free(struct config *c)
{
	if (c == NULL)
		return;
	struct loaded *l = (struct loaded *)c;
	config_wipe_keys(c);
	for (size_t i = 0; i < c->ports_count; i++)
		free(c->ports[i].addresses);
	for (size_t i = 0; i < c->tunnels_count; i++)
		free(c->tunnels[i].selectors);
	free(c->lcores);
	free(c->ports);
	free(c->routes);
	free(c->neighbours);
	free(c->tunnels);
	free(c->policies);
	free(c->file);
	if (l->raw != NULL)
		cyaml_free(&quiet, &config_schema, l->raw, 0);
	free(l);
}
