# SPDX-License-Identifier: BSD-3-Clause
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from lab import charon  # noqa: E402


def pytest_configure(config):
    if not charon.PLUGIN.exists():
        pytest.exit(f"{charon.PLUGIN} is not built: scripts/fetch-strongswan-headers, "
                    "then meson setup --reconfigure", 2)
