/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONTROL_METHODS_SESSION_H
#define ESPALIER_CONTROL_METHODS_SESSION_H

/* The part of METHODS (method.h) about a connection: its session and its events. */
#define METHODS_SESSION(X)

#endif
