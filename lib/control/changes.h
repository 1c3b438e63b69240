/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONTROL_CHANGES_H
#define ESPALIER_CONTROL_CHANGES_H

#include "worker/gateway.h"

/*
 * Policy changes become visible together, once for all requests of a line, and
 * are undone together where that fails: a request that was answered with a
 * result has taken effect.
 */
struct change {
	bool added; /* else deleted */
	struct policy policy;
};

struct changes {
	struct change *list;
	size_t count, room;
};

/* Make room for one more, so that noting it cannot fail. 0 or -ENOMEM. */
int changes_reserve(struct changes *c, size_t more, struct fault *fault);
void changes_note(struct changes *c, bool added, const struct policy *policy);

/* Undo what was noted since `count` was `mark`, without a commit. */
void changes_undo(struct changes *c, struct gateway *g, size_t mark);

/* Commit what was noted. On failure -errno and *fault, and every change is undone. */
int changes_commit(struct changes *c, struct gateway *g, struct fault *fault);
void changes_free(struct changes *c);

#endif
