/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/keys.h"
#include "config/schema.h"

int check_fault(struct check *c, const char *path, const char *fmt, ...)
{
	char where[96], what[256];
	size_t len = 0, index = 0;
	va_list ap;

	for (const char *p = path; *p != '\0' && len < sizeof(where) - 24; p++) {
		where[len++] = *p;
		if (*p == '[')
			len += (size_t)snprintf(where + len, sizeof(where) - len, "%zu",
						c->at[index < 2 ? index++ : 1]);
	}
	where[len] = '\0';
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return fault_set(c->fault, EINVAL, where, "%s", what);
}

int check_number(struct check *c, const char *path, const uint64_t *given, uint64_t *out)
{
	const struct config_key *key = config_key_find(path);

	if (given == NULL) {
		if (key->fallback == NULL)
			return check_fault(c, path, "missing; a number from %lu to %lu is needed",
					   key->min, key->max);
		*out = strtoull(key->fallback, NULL, 10);
		return 0;
	}
	if (*given < key->min || *given > key->max)
		return check_fault(c, path, "%lu is %s; %lu to %lu is possible", *given,
				   *given < key->min ? "too small" : "too large", key->min,
				   key->max);
	*out = *given;
	return 0;
}

int check_word(const char *path, const int *given)
{
	if (given != NULL)
		return *given;
	const cyaml_schema_value_t *value = schema_find(path);
	const char *fallback = config_key_find(path)->fallback;
	for (uint32_t i = 0; i < value->enumeration.count; i++)
		if (strcmp(value->enumeration.strings[i].str, fallback) == 0)
			return (int)value->enumeration.strings[i].val;
	abort();
}

int check_text(struct check *c, const char *path, const char *given, const char *absent,
	       const char **out)
{
	*out = given != NULL ? given : absent;
	if (given != NULL && given[0] == '\0')
		return check_fault(c, path, "empty; give a value or leave the key out");
	if (*out == NULL)
		return check_fault(c, path, "missing; %s", config_key_find(path)->meaning);
	return 0;
}

int check_name(struct check *c, const char *path, const char *given, size_t max, const char **out)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789.-_:";

	if (check_text(c, path, given, NULL, out) != 0)
		return -EINVAL;
	if (strlen(given) > max)
		return check_fault(c, path,
				   "\"%.80s\" has %zu characters; at most %zu are possible", given,
				   strlen(given), max);
	if (given[strspn(given, letters)] != '\0')
		return check_fault(c, path,
				   "\"%s\" holds a character that is no letter, digit, dot, dash, "
				   "underscore or colon",
				   given);
	return 0;
}

int check_device_name(struct check *c, const char *path, const char *name)
{
	if (strlen(name) > 15)
		return check_fault(c, path,
				   "\"%.80s\" has %zu characters; a netdev's name has at most 15",
				   name, strlen(name));
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	    strcspn(name, "/: \t\n%") != strlen(name))
		return check_fault(c, path,
				   "\"%s\" is no name for a netdev, which holds no slash, colon, "
				   "percent sign or blank",
				   name);
	return 0;
}

int check_address(struct check *c, const char *path, const char *text, struct ip_addr *out)
{
	const char *given;

	if (check_text(c, path, text, NULL, &given) != 0)
		return -EINVAL;
	if (ip_addr_parse(given, out) != 0)
		return check_fault(
		    c, path, "\"%.60s\" is no IP address such as 192.0.2.1 or 2001:db8::1", given);
	if (!ip_addr_is_unicast(out))
		return check_fault(c, path, "%s is not the address of one host", given);
	return 0;
}

int check_prefix(struct check *c, const char *path, const char *text, struct ip_prefix *out)
{
	const char *given;

	if (check_text(c, path, text, NULL, &given) != 0)
		return -EINVAL;
	if (ip_prefix_parse(given, out) != 0)
		return check_fault(c, path,
				   "\"%.60s\" is no prefix such as 192.0.2.0/24 (bits behind the "
				   "prefix length must be 0)",
				   given);
	return 0;
}

struct named {
	const char *name;
	size_t index;
};

static int compare_named(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

int check_unique(struct check *c, const char *path, size_t n,
		 const char *(*get)(const struct check *c, size_t i))
{
	struct named *names = calloc(n + 1, sizeof(*names));
	size_t count = 0;
	int err = 0;

	if (names == NULL)
		return fault_set(c->fault, ENOMEM, "", "out of memory");
	for (size_t i = 0; i < n; i++)
		if (get(c, i) != NULL)
			names[count++] = (struct named){.name = get(c, i), .index = i};
	qsort(names, count, sizeof(*names), compare_named);
	for (size_t i = 1; i < count && err == 0; i++) {
		if (strcmp(names[i - 1].name, names[i].name) != 0)
			continue;
		c->at[0] = names[i].index;
		err = check_fault(c, path, "\"%s\" is taken by the entry with index %zu already",
				  names[i].name, names[i - 1].index);
	}
	free(names);
	return err;
}

int check_config(struct check *c)
{
	static int (*const parts[])(struct check *) = {check_machine, check_ports,    check_tunnels,
						       check_keys,    check_policies, check_routes,
						       check_devices};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		int err = parts[i](c);
		if (err != 0)
			return err;
	}
	return 0;
}
