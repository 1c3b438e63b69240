# SPDX-License-Identifier: BSD-3-Clause
"""Manual keys: no restart repeats a sequence number, since with GCM that gives the key away."""

import random
import shutil
import threading
import time

import pytest
from lab import netns, wire
from lab.crossing import LOCAL, Crossing, Peer


def keyed(peer, **more):
    tunnel = {"name": peer.name, "local": peer.local, "remote": peer.remote,
              "in": {"spi": peer.spi_in, "key": peer.seal.key.hex()},
              "out": {"spi": peer.spi_out, "key": peer.open.key.hex()}, **more}
    if peer.udp:
        tunnel.update(encapsulation="udp", local_port=peer.ports[0], remote_port=peer.ports[1])
    return tunnel


def started(lab, udp=False, esn=True):
    crossing = Crossing(lab, start=False)
    peer = Peer(crossing, 1, 4, udp, esn, add=False)
    crossing.gateway.config.update(lab=True, tunnels=[keyed(peer, esn=esn)])
    return crossing, peer


def start(crossing, peer):
    crossing.gateway.start()
    for prefix in peer.prefixes:
        crossing.gw.ip("route", "replace", prefix, "dev", peer.name)


@pytest.mark.parametrize("esn", (True, False))
def test_sigkill_at_any_moment_repeats_no_number(lab, esn):
    crossing, peer = started(lab, udp=esn, esn=esn)
    chance = random.Random(4106)
    stopping = threading.Event()

    def send():
        while not stopping.is_set():
            crossing.hosts.send(*(peer.inner_out(4, payload=b"counted") for _ in range(40)))
            time.sleep(0.004)

    sender = threading.Thread(target=send)
    sender.start()
    seen, per_run = [], []
    try:
        for _ in range(6):
            start(crossing, peer)
            time.sleep(chance.uniform(0.2, 0.8))
            crossing.gateway.kill()
            got = [peer.opened(ip).seq for ip in crossing.peers.receive(seconds=0.3)]
            per_run.append(len(got))
            seen += got
    finally:
        stopping.set()
        sender.join()
    assert all(count > 50 for count in per_run), per_run
    assert len(seen) == len(set(seen)), "a number was used twice"
    assert seen == sorted(seen)


def test_a_clean_restart_repeats_no_number_and_goes_on(lab):
    crossing, peer = started(lab)
    seen = []
    for _ in range(3):
        start(crossing, peer)
        crossing.hosts.send(*(peer.inner_out(4, payload=b"x") for _ in range(100)))
        seen += [peer.opened(ip).seq for ip in crossing.peers.receive(100)]
        assert crossing.gateway.stop() == 0
    assert len(seen) == 300 and seen == sorted(set(seen))
    assert seen[0] == 1, "RFC 4303 3.3.3"


def test_more_than_one_block(lab):
    """Blocks are reserved ahead of use: a steady stream never waits for the disk."""
    crossing, peer = started(lab)
    start(crossing, peer)
    sent = 0
    got = []
    while sent < 40_000:
        crossing.hosts.send(*(peer.inner_out(4, payload=b"x") for _ in range(64)))
        sent += 64
        got += crossing.peers.receive(64, seconds=1)
    numbers = [peer.opened(ip).seq for ip in got]
    drops = crossing.gateway.drops()
    assert len(numbers) == sent, drops
    assert numbers == list(range(1, sent + 1))
    assert "seq_unreserved" not in drops


def test_a_state_that_cannot_be_written_is_an_error(lab):
    crossing, peer = started(lab)
    crossing.gateway.config["state_directory"] = "/proc/nowhere"
    crossing.gateway.start(ready=False)
    assert crossing.gateway.process.wait(20) != 0
    assert "/proc/nowhere" in crossing.gateway.log()


def test_a_damaged_state_is_an_error_and_not_a_fresh_start(lab):
    crossing, peer = started(lab)
    start(crossing, peer)
    crossing.probe_out(peer)
    crossing.gateway.kill()
    directory = crossing.lab.directory / "gw.state"
    files = [file for file in directory.rglob("*") if file.is_file()]
    assert files
    for file in files:
        file.write_bytes(b"\xffgarbage\n")
    crossing.gateway.start(ready=False)
    assert crossing.gateway.process.wait(20) != 0
    assert str(directory) in crossing.gateway.log()
    shutil.rmtree(directory)


def test_keys_are_in_no_log_and_no_answer(lab):
    crossing, peer = started(lab)
    start(crossing, peer)
    said = crossing.gateway.log()
    for method in ("sa.list", "tunnel.list", "gateway.info", "rpc.discover"):
        said += str(crossing.gateway.call(method))
    for key in (peer.seal.key.hex(), peer.open.key.hex()):
        assert key not in said and key[:24] not in said
    for file in (crossing.lab.directory / "gw.state").rglob("*"):
        if file.is_file():
            assert peer.open.key not in file.read_bytes() and peer.open.key.hex().encode() not in file.read_bytes()


def test_policy_based_with_manual_keys(lab):
    """No device of its own: selectors decide, and what a policy protects never goes in the clear."""
    crossing = Crossing(lab, start=False)
    peer = Peer(crossing, 1, 4, add=False)
    crossing.gateway.config.update(lab=True, tunnels=[keyed(peer, selectors=[
        {"local": "10.1.1.0/24", "remote": "10.2.1.0/24"},
        {"local": "fd00:1:1::/48", "remote": "fd00:2:1::/48"}])])
    crossing.gw.ip("route", "add", "default", "via", "192.0.2.2")
    crossing.gw.ip("route", "add", "default", "via", "2001:db8:f::2")
    crossing.gateway.start()
    for family in (4, 6):
        packet = peer.inner_out(family, payload=b"by policy")
        crossing.hosts.send(packet)
        ip, = crossing.peers.receive(1)
        assert peer.opened(ip).inner == wire.forwarded(packet)
        packet = peer.inner_in(family, payload=b"and back")
        peer.send(packet)
        assert crossing.hosts.receive(1) == [wire.forwarded(packet)]
    # Outside the selectors it is ordinary routing, of the kernel or ours.
    outside = wire.ip_packet("10.1.9.9", "10.9.9.9", 253, b"not protected")
    crossing.hosts.send(outside)
    assert crossing.peers.receive(1) == [wire.forwarded(outside)]
    # Inward the policy is checked too.
    before = crossing.gateway.drops()
    crossing.peers.send(peer.inner_in(4, payload=b"in the clear"))
    peer.send(wire.ip_packet("10.2.1.5", "10.1.9.9", 253, b"beyond the selectors"))
    crossing.probe(peer)
    after = crossing.gateway.drops()
    assert after.get("plaintext", 0) == before.get("plaintext", 0) + 1
    assert after.get("esp_selector", 0) == before.get("esp_selector", 0) + 1
    netns.wait_until(lambda: crossing.gateway.totals()["difference"] == 0, "rest")
    assert LOCAL[4] == peer.local
