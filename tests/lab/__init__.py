# SPDX-License-Identifier: BSD-3-Clause
"""Laboratories for tests: namespaces, running gateways, raw frames, a reference ESP."""
