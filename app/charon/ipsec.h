/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ESPALIER_CHARON_IPSEC_H
#define ESPALIER_CHARON_IPSEC_H

#include "charon.h"

/* charon's constructor of a kernel interface (kernel/kernel_ipsec.h). Never fails. */
kernel_ipsec_t *ipsec_create(void);

/* Its methods about SAs, in ipsec_sa.c; what they take and return is kernel_ipsec_t's. */
status_t ipsec_get_spi(kernel_ipsec_t *this, host_t *src, host_t *dst, uint8_t protocol,
		       uint32_t *spi);
status_t ipsec_add_sa(kernel_ipsec_t *this, kernel_ipsec_sa_id_t *id, kernel_ipsec_add_sa_t *data);
status_t ipsec_update_sa(kernel_ipsec_t *this, kernel_ipsec_sa_id_t *id,
			 kernel_ipsec_update_sa_t *data);
status_t ipsec_query_sa(kernel_ipsec_t *this, kernel_ipsec_sa_id_t *id,
			kernel_ipsec_query_sa_t *data, uint64_t *bytes, uint64_t *packets,
			time_t *time);
status_t ipsec_del_sa(kernel_ipsec_t *this, kernel_ipsec_sa_id_t *id, kernel_ipsec_del_sa_t *data);
status_t ipsec_flush_sas(kernel_ipsec_t *this);

#endif
