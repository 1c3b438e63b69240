/* SPDX-License-Identifier: BSD-3-Clause */
#include "packet/drop.h"

static const struct {
	const char *name;
	const char *text;
	enum drop_kind kind;
} reasons[DROP_REASONS] = {
#define X(id, name, kind, text) {#name, text, DROP_##kind},
    DROP_LIST (X)
#undef X
};

const char *drop_name(enum drop_reason reason)
{
	return (unsigned int)reason < DROP_REASONS ? reasons[reason].name : "unknown";
}

const char *drop_text(enum drop_reason reason)
{
	return (unsigned int)reason < DROP_REASONS ? reasons[reason].text : "unknown reason";
}

enum drop_kind drop_kind(enum drop_reason reason)
{
	return (unsigned int)reason < DROP_REASONS ? reasons[reason].kind : DROP_LOSS;
}
