# SPDX-License-Identifier: BSD-3-Clause
"""A wrong configuration: status 2, and a message with file, place, value and what would be right."""

import pathlib
import socket

import pytest
from lab import gateway

TOP = pathlib.Path(__file__).resolve().parents[2]

RIGHT = """\
workers:
  lcores: [0]
  idle: sleep
ports:
  - name: lan
    device: lan
    role: protected
"""

KEY = "00" * 36
TUNNEL = f"""\
tunnels:
  - name: paris
    local: 192.0.2.1
    remote: 192.0.2.2
    in: {{spi: 4096, key: "{KEY}"}}
    out: {{spi: 4097, key: "{'11' * 36}"}}
"""

# (what is in the file, what the message has to contain)
WRONG = {
    "syntax": (RIGHT + "routes: [", ["line"]),
    "tab": ("workers:\n\tlcores: [0]\n", ["line 2"]),
    "unknown key": (RIGHT.replace("  idle:", "  idel:"), ["line 3", "idel"]),
    "type": (RIGHT.replace("[0]", "zero"), ["line 2", "lcores"]),
    "enum": (RIGHT.replace("sleep", "snooze"), ["line 3", "snooze", "spin"]),
    "role": (RIGHT.replace("protected", "inside"), ["line 7", "inside", "unprotected"]),
    "range": (RIGHT + "    mtu: 20000\n", ["ports[0].mtu", "20000", "9600"]),
    "too small": (RIGHT + "    mtu: 100\n", ["ports[0].mtu", "100", "576"]),
    "queues": (RIGHT + "    queues: 17\n", ["ports[0].queues", "17", "16"]),
    "no such device": (RIGHT.replace("device: lan", "device: nonesuch"), ["nonesuch"]),
    "name twice": (RIGHT + RIGHT.split("ports:\n")[1], ["ports[1]", "lan"]),
    "no ports": ("workers:\n  lcores: [0]\n", ["ports"]),
    "manual keys without lab": (RIGHT + TUNNEL, ["tunnels[0]", "lab"]),
    "short key": (RIGHT + "lab: true\n" + TUNNEL.replace(KEY, "0011"), ["tunnels[0].in.key", "72"]),
    "reserved SPI": (RIGHT + "lab: true\n" + TUNNEL.replace("4096", "255"), ["tunnels[0].in.spi", "255", "256"]),
    "bad address": (RIGHT + TUNNEL.replace("192.0.2.2", "192.0.2.300"), ["tunnels[0].remote", "192.0.2.300"]),
    "families differ": (RIGHT + "lab: true\n" + TUNNEL.replace("192.0.2.2", "2001:db8::1"), ["tunnels[0]"]),
    "policy without its tunnel": (RIGHT + "policies:\n  - {name: p, action: protect, tunnel: rome}\n",
                                  ["policies[0]", "rome"]),
    "window": (RIGHT + "lab: true\n" + TUNNEL + "    replay_window: 31\n", ["tunnels[0].replay_window", "31", "32"]),
    "lcore twice": (RIGHT.replace("[0]", "[0, 0]"), ["workers.lcores"]),
    "no such CPU": (RIGHT.replace("[0]", "[1000]"), ["workers.lcores", "1000"]),
    "empty": ("", ["ports"]),
    "not a mapping": ("- 1\n- 2\n", ["line"]),
}


def run(lab, text):
    """(status, what it says) of espalierd with this configuration."""
    namespace = lab.namespace("gw")
    other = lab.namespace("other")
    lab.link(namespace, "lan", other, "lan")
    file = lab.directory / "wrong.yaml"
    file.write_text(text)
    process = namespace.spawn(gateway.ESPALIERD, "--config", file, "--socket", lab.directory / "s")
    status = process.wait(20)
    assert "xdp" not in namespace.devices()["lan"]
    return status, process.text()


@pytest.mark.parametrize("case", WRONG)
def test_wrong(lab, case):
    text, wanted = WRONG[case]
    status, said = run(lab, text)
    assert status == 2, said
    assert "wrong.yaml" in said
    for part in wanted:
        assert part in said, f"{part} is missing in: {said}"
    assert KEY not in said, "keys are never printed"


def test_no_file(lab):
    namespace = lab.namespace("gw")
    process = namespace.spawn(gateway.ESPALIERD, "--config", "/nonexistent.yaml")
    assert process.wait(10) == 2
    assert "/nonexistent.yaml" in process.text()


def test_a_socket_that_cannot_be(lab):
    namespace, other = lab.namespace("gw"), lab.namespace("other")
    lab.link(namespace, "lan", other, "lan")
    file = lab.directory / "right.yaml"
    file.write_text(RIGHT)
    process = namespace.spawn(gateway.ESPALIERD, "--config", file, "--socket", "/proc/none/such.sock")
    assert process.wait(20) == 2
    assert "/proc/none/" in process.text()
    assert "xdp" not in namespace.devices()["lan"], "nothing is left behind"


def test_a_socket_in_use_is_a_runtime_error(lab):
    namespace, other = lab.namespace("gw"), lab.namespace("other")
    lab.link(namespace, "lan", other, "lan")
    file, path = lab.directory / "right.yaml", lab.directory / "taken.sock"
    file.write_text(RIGHT)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as taken:
        taken.bind(str(path))
        taken.listen()
        process = namespace.spawn(gateway.ESPALIERD, "--config", file, "--socket", path)
        assert process.wait(20) == 1
    assert str(path) in process.text()
    assert "xdp" not in namespace.devices()["lan"], "nothing is left behind"


def test_help_and_version(lab):
    namespace = lab.namespace("gw")
    assert "--config" in namespace.run(gateway.ESPALIERD, "--help")
    assert "--socket" in namespace.run(gateway.ESPCTL, "--help")


@pytest.mark.parametrize("name", sorted(file.name for file in (TOP / "conf").glob("*.yaml")))
def test_our_examples_are_right_but_for_the_machine(lab, name):
    """They name devices that this machine has not; the file itself has no fault."""
    status, said = run(lab, (TOP / "conf" / name).read_text())
    assert status == 2
    assert "line" not in said.split("wrong.yaml")[1].split("\n")[0], said
