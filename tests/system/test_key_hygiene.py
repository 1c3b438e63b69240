# SPDX-License-Identifier: BSD-3-Clause
"""
Where keys are: while an SA lives in the arena of SAs, which no core file holds,
and nowhere else; after it in no memory at all. The gateway's own view is not
asked: its memory is read.
"""

import contextlib
import json
import os
import pathlib
import resource
import signal
import socket

import pytest
from lab import memory, netns
from lab.crossing import Crossing, Peer
from lab.gateway import Control, RpcError, fresh_key


def needles(*keys):
    """Halves, since a part would give enough away; the salt is no secret by itself."""
    wanted = {}
    for n, key in enumerate(keys):
        key = key[:-4]
        for half, part in (("first", key[:16]), ("last", key[-16:])):
            wanted[f"key {n}, {half} half, raw"] = part
            wanted[f"key {n}, {half} half, hex"] = part.hex().encode()
            wanted[f"key {n}, {half} half, HEX"] = part.hex().upper().encode()
    return wanted


def places(crossing, keys):
    return memory.search(crossing.gateway.process.pid, needles(*keys))


def expect_only_in_arena(crossing, keys, installed):
    """The raw bytes begin the expanded key: of each installed one exactly there."""
    found = places(crossing, keys)
    outside = [(name, region) for name, region in found
               if region.dumped or "raw" not in name or int(name.split()[1].rstrip(",")) not in installed]
    assert not outside, "\n".join(f"{name} in {region}" for name, region in outside)
    assert {int(name.split()[1].rstrip(",")) for name, _ in found} == set(installed), \
        "the search does not find what is there"


def expect_nowhere(crossing, keys):
    def gone():
        gone.found = places(crossing, keys)
        return not gone.found
    try:
        netns.wait_until(gone, "no key in memory", seconds=5, pause=0.2)
    except AssertionError:
        raise AssertionError("\n".join(f"{name} in {region}" for name, region in gone.found)) from None


@pytest.fixture
def crossing(lab):
    return Crossing(lab)


def test_the_search_finds_what_is_there(crossing):
    """Bytes that the gateway is known to hold, so that finding none means something."""
    found = memory.search(crossing.gateway.process.pid, {"path": str(crossing.gateway.socket).encode(),
                                                         "absent": os.urandom(16)})
    assert {name for name, _ in found} == {"path"}


def refused(control, method, params):
    with pytest.raises(RpcError):
        control.call(method, params)


def speak(crossing, text):
    """Send bytes on a connection of their own and hang up."""
    with socket.socket(socket.AF_UNIX) as one:
        one.connect(str(crossing.gateway.socket))
        one.sendall(text)
        one.shutdown(socket.SHUT_WR)
        while one.recv(65536):
            pass


def test_keys_over_the_socket(crossing):
    gateway = crossing.gateway
    gateway.call("log.level", level="debug")
    one, two = Peer(crossing, 1, 4), Peer(crossing, 2, 4, key_bits=128)
    keys = [one.seal.key, one.open.key, two.seal.key, two.open.key]
    # Again, since what is there already takes another way.
    gateway.add_sa("in", one.name, one.spi_in, one.seal.key, exist_ok=True)
    control = Control(gateway.socket)
    many = [fresh_key() for _ in range(3)]
    rows = [[0x50000 + n, key.hex().upper()] for n, key in enumerate(many)]
    control.call("sa.add_many", {"template": {"direction": "in", "tunnel": one.name},
                                 "columns": ["spi", "key"], "rows": rows})
    keys += many
    # In a batch, and as parameters by position.
    batched = fresh_key()
    control.batch([("gateway.info", {}),
                   ("sa.add", {"direction": "in", "spi": 0x60000, "tunnel": one.name, "key": batched.hex()}),
                   ("gateway.info", {})])
    keys.append(batched)
    crossing.probe(one)
    crossing.probe_out(two)
    installed = range(len(keys))
    # What is refused, in all the ways in which a key can be in a request.
    wrong = [fresh_key() for _ in range(10)]
    keys += wrong
    sa = {"direction": "in", "spi": 0x70000, "tunnel": one.name}
    refused(control, "sa.add", {**sa, "key": wrong[0].hex() + "00"})
    refused(control, "sa.add", {**sa, "key": wrong[1].hex(), "tunnel": "nonesuch"})
    refused(control, "sa.add", {**sa, "key": wrong[2].hex(), "spi": one.spi_in, "exist_ok": True})
    refused(control, "sa.add", {**sa, "tunnel": wrong[3].hex(), "key": wrong[3].hex()})
    refused(control, "sa.add", {**sa, "key": fresh_key().hex(), wrong[4].hex(): wrong[4].hex().upper()})
    refused(control, wrong[5].hex(), {"key": wrong[5].hex()})
    refused(control, "sa.add_many", {"template": {"direction": "in", "tunnel": one.name},
                                     "columns": ["spi", "key"],
                                     "rows": [[0x70000, wrong[6].hex()], [0x70000, wrong[6].hex()]]})
    speak(crossing, b'{"jsonrpc":"2.0","id":1,"method":"sa.add","params":{"key":"' + wrong[7].hex().encode())
    speak(crossing, json.dumps([wrong[8].hex()] * 500).encode() + b"\n" + wrong[8].hex().encode() * 100 + b"\n")
    speak(crossing, b'{"jsonrpc":"2.0","id":1,"method":"sa.add","params":{"key":"' + wrong[9].hex().encode()
          + b'", \x00}}\n' + b"[" * 100 + wrong[9].hex().encode() + b"\n")
    expect_only_in_arena(crossing, keys, installed)
    assert not any(key[:-4].hex() in gateway.log().lower() for key in keys)
    control.call("sa.flush", {"tunnel": one.name})
    gateway.call("tunnel.delete", name=two.name)
    expect_nowhere(crossing, keys)
    control.close()


def test_keys_that_were_used(crossing):
    """Workers expand, seal and open with them: nothing stays in their caches and stacks."""
    peers = [Peer(crossing, n, 4, udp=n % 2 == 0) for n in range(1, 5)]
    keys = [key for peer in peers for key in (peer.seal.key, peer.open.key)]
    for peer in peers:
        for size in (0, 64, 600, 1300):
            crossing.hosts.send(*(peer.inner_out(4, payload=bytes(size)) for _ in range(16)))
            for _ in range(16):
                peer.send(peer.inner_in(4, payload=bytes(size)))
        crossing.probe(peer)
        crossing.probe_out(peer)
    expect_only_in_arena(crossing, keys, range(len(keys)))
    for peer in peers:
        crossing.gateway.call("sa.delete", direction="in", spi=peer.spi_in)
        crossing.gateway.call("sa.delete", direction="out", spi=peer.spi_out, tunnel=peer.name)
    expect_nowhere(crossing, keys)


def test_keys_of_a_vanished_session(crossing):
    client = Control(crossing.gateway.socket)
    operator, crossing.gateway.control = crossing.gateway.control, client
    client.call("session.open", {"name": "charon", "grace": 1})
    peer = Peer(crossing, 1, 4)
    crossing.gateway.control = operator
    client.close()
    netns.wait_until(lambda: not operator.call("sa.list")["items"], "its grace passes")
    expect_nowhere(crossing, [peer.seal.key, peer.open.key])


def manual(lab):
    crossing = Crossing(lab, start=False)
    peer = Peer(crossing, 1, 4, add=False)
    crossing.gateway.config.update(lab=True, tunnels=[
        {"name": peer.name, "local": peer.local, "remote": peer.remote,
         "in": {"spi": peer.spi_in, "key": peer.seal.key.hex()},
         "out": {"spi": peer.spi_out, "key": peer.open.key.hex().upper()}}])
    return crossing, peer


def test_keys_of_the_configuration(lab):
    crossing, peer = manual(lab)
    keys = [peer.seal.key, peer.open.key]
    crossing.gateway.start()
    crossing.probe(peer)
    expect_only_in_arena(crossing, keys, range(2))
    crossing.gateway.call("sa.flush")
    expect_nowhere(crossing, keys)
    # The line of a command, its environment and its files are not the place for keys either.
    for name in ("cmdline", "environ"):
        text = pathlib.Path(f"/proc/{crossing.gateway.process.pid}/{name}").read_bytes().lower()
        assert not any(key[:16].hex().encode() in text for key in keys)


def test_no_core_file(lab, monkeypatch):
    """Not dumpable: even with the limit raised by root there is none."""
    monkeypatch.chdir(lab.directory)
    crossing, peer = manual(lab)
    crossing.gateway.start()
    crossing.probe(peer)
    pid = crossing.gateway.process.pid
    limits = pathlib.Path(f"/proc/{pid}/limits").read_text()
    core = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
    assert core.split()[4:6] == ["0", "0"]
    # A process that is not dumpable belongs to root in /proc, whoever it runs as.
    assert os.stat(f"/proc/{pid}/mem").st_uid == 0
    # Where even root may not, all the better.
    with contextlib.suppress(PermissionError):
        resource.prlimit(pid, resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    os.kill(pid, signal.SIGABRT)
    status = crossing.gateway.process.wait()
    assert status == -signal.SIGABRT
    if pathlib.Path("/proc/sys/kernel/core_pattern").read_text().strip().startswith(("|", "/")):
        pytest.skip("core files of this machine go elsewhere")
    assert not list(lab.directory.glob("core*"))
