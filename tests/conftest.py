# SPDX-License-Identifier: BSD-3-Clause
import logging
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.dont_write_bytecode = True
logging.getLogger("scapy").setLevel(logging.CRITICAL)

from lab import gateway, netns  # noqa: E402


def pytest_configure(config):
    if os.geteuid() != 0:
        pytest.exit("namespaces and XDP need root: sudo scripts/test", 2)
    if not gateway.ESPALIERD.exists():
        pytest.exit(f"{gateway.ESPALIERD} is not built: scripts/build", 2)


@pytest.fixture
def lab(request):
    """Namespaces for one test, gone after it. Logs of its processes are shown if it fails."""
    with netns.Lab(request.node.name.split("[")[0][:24]) as one:
        request.node.labs = [one]
        yield one


@pytest.fixture(scope="module")
def module_lab(request):
    """The same for all tests of a file."""
    with netns.Lab(request.module.__name__.split(".")[-1][:24]) as one:
        request.module.labs = [one]
        yield one


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if not report.failed:
        return
    labs = getattr(item, "labs", []) or getattr(item.module, "labs", [])
    for lab in labs:
        for process in lab.processes:
            text = process.text()[-2500:] if process.log.exists() else ""
            if text.strip():
                report.sections.append((f"{process.log.name}", text))
