/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reset.h"

#include <processing/jobs/callback_job.h>
#include <processing/jobs/delete_child_sa_job.h>

#include "sa_map.h"
#include "tunnel_map.h"

struct initiation {
	char connection[NAME_MAX_LEN + 1], child[NAME_MAX_LEN + 1];
};

static child_cfg_t *child_of(peer_cfg_t *peer, const char *name)
{
	enumerator_t *e = peer->create_child_cfg_enumerator(peer);
	child_cfg_t *child, *found = NULL;

	while (found == NULL && e->enumerate(e, &child))
		if (streq(child->get_name(child), name))
			found = child->get_ref(child);
	e->destroy(e);
	return found;
}

static job_requeue_t initiate(struct initiation *i)
{
	peer_cfg_t *peer = charon->backends->get_peer_cfg_by_name(charon->backends, i->connection);
	child_cfg_t *child = peer != NULL ? child_of(peer, i->child) : NULL;

	if (child != NULL) {
		charon->controller->initiate(charon->controller, peer, child, NULL, NULL, 0, false);
		return JOB_REQUEUE_NONE;
	}
	DBG1(DBG_KNL, "kernel-espalier: no configuration %s, %s to initiate after a reset",
	     i->connection, i->child);
	DESTROY_IF(peer);
	return JOB_REQUEUE_NONE;
}

void reset_tunnel(const char *name)
{
	struct initiation *i = NULL;
	size_t n;
	struct sa *all = sa_map_all(&n);

	shadow_lock();
	struct tunnel *t = tunnel_by_name(name);
	if (t != NULL && t->connection[0] != '\0') {
		INIT(i, );
		memcpy(i->connection, t->connection, sizeof(i->connection));
		memcpy(i->child, t->child, sizeof(i->child));
	}
	shadow_unlock();
	for (size_t k = 0; k < n; k++) {
		if (t != NULL && all[k].tunnel == t && all[k].inbound)
			lib->processor->queue_job(lib->processor,
						  (job_t *)delete_child_sa_job_create(
						      PROTO_ESP, all[k].spi, all[k].local, false));
		sa_clear(&all[k]);
	}
	free(all);
	if (i != NULL)
		lib->processor->queue_job(
		    lib->processor,
		    (job_t *)callback_job_create((callback_job_cb_t)initiate, i, free, NULL));
}
