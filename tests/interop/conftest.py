# SPDX-License-Identifier: BSD-3-Clause
import pytest
from lab.crossing import Crossing


@pytest.fixture(scope="module")
def crossing(module_lab):
    """One running gateway for all tests of a file; each takes peers of its own."""
    return Crossing(module_lab)


@pytest.fixture(scope="module")
def peer_number():
    """Numbers for peers, none twice in a file."""
    return iter(range(1, 250)).__next__
