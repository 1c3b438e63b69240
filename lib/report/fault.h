/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_REPORT_FAULT_H
#define ESPALIER_REPORT_FAULT_H

/*
 * A fault is an error that an operator caused and can mend: it says where (a
 * configuration key path or a request field), and in one sentence which value
 * is wrong, what the limit is and what would be right. It never holds a key.
 */
struct fault {
	int err;        /* positive errno; 0 while nothing is wrong */
	char where[96]; /* "ports[1].mtu", "encapsulation.port", or "" */
	char what[256]; /* the sentence, without a final full stop or newline */
};

/*
 * Fill *f (which may be NULL) and return -err, so that a caller can write
 * `return fault_set(f, EINVAL, "mtu", "%u is below %u", mtu, MTU_MIN);`.
 */
int fault_set(struct fault *f, int err, const char *where, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Put `outer` before f->where: "mtu" under "ports[1]" becomes "ports[1].mtu". Returns -f->err. */
int fault_under(struct fault *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
