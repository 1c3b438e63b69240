# SPDX-License-Identifier: BSD-3-Clause
"""
Whatever happens to the daemon, with the kernel forwarding: not one inner packet on
the outer wire, and nothing in the clear let in.
"""

import pathlib
import random
import re
import struct
import subprocess
import threading
import time

import pytest
from lab import gateway, wire
from lab.crossing import Crossing, Peer

GUARD = pathlib.Path(__file__).resolve().parents[2] / "conf" / "espalier-guard.nft"


class Pressure:
    """
    Inner packets without a pause on the protected side, and packets in the clear of
    the remote prefix on the unprotected one; everything seen on both wires is kept.
    """

    def __init__(self, crossing, peer, rate=2000):
        self.crossing, self.peer, self.rate = crossing, peer, rate
        self.stopping = threading.Event()
        self.outside, self.inside = [], []
        self.sent = 0

    def _send(self):
        while not self.stopping.is_set():
            number = struct.pack("!Q", self.sent)
            for family in (4, 6):
                self.crossing.hosts.send(self.peer.inner_out(family, payload=b"inner secret" + number))
                self.crossing.peers.send(self.peer.inner_in(family, payload=b"spoofed" + number))
            self.sent += 2
            time.sleep(2 / self.rate)

    def _watch(self, side, seen):
        while not self.stopping.is_set():
            seen += side.receive(seconds=0.1)
        seen += side.receive(seconds=0.3)

    def __enter__(self):
        self.threads = [threading.Thread(target=self._send),
                        threading.Thread(target=self._watch, args=(self.crossing.peers, self.outside)),
                        threading.Thread(target=self._watch, args=(self.crossing.hosts, self.inside))]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def sealed(self):
        """ESP on the outer wire so far."""
        return sum(1 for ip in list(self.outside) if ip[9 if ip[0] >> 4 == 4 else 6] == 50)

    def check(self):
        assert self.sent > 200
        leaked = [ip for ip in self.outside if b"inner secret" in ip]
        assert not leaked, f"{len(leaked)} of {self.sent} left in the clear: {leaked[0].hex()}"
        strangers = [ip for ip in self.outside if ip[9 if ip[0] >> 4 == 4 else 6] != 50
                     and not wire.is_noise(ip)]
        assert not strangers, f"not ESP: {strangers[0].hex()}"
        let_in = [ip for ip in self.inside if b"spoofed" in ip]
        assert not let_in, f"{len(let_in)} in the clear were let in: {let_in[0].hex()}"


def lay_tunnel(crossing):
    """As a management daemon would after each start. The SAs are new, as IKE's are."""
    number = random.randrange(1, 250)
    peer = Peer(crossing, 7, 4, add=False)
    crossing.gateway.add_tunnel(peer.name, peer.local, peer.remote, peer.prefixes)
    for direction, spi in (("in", 4096 + number), ("out", 8192 + number)):
        crossing.gateway.add_sa(direction, peer.name, spi, gateway.fresh_key())
    return peer


def xdp_ids(namespace):
    """{device: program id} of what is attached."""
    found = {}
    for device, line in namespace.devices().items():
        said = namespace.ip("-d", "link", "show", "dev", device)
        one = re.search(r"prog/xdp id (\d+)", said)
        if one:
            found[device] = int(one.group(1))
    return found


@pytest.fixture
def crossing(lab):
    return Crossing(lab)


def test_the_test_itself_sees_a_leak(lab):
    """The kernel alone forwards: exactly what must never be seen below."""
    crossing = Crossing(lab, start=False)
    peer = Peer(crossing, 7, 4, add=False)
    for prefix, nexthop in zip(peer.prefixes, ("192.0.2.2", "2001:db8:f::2")):
        crossing.gw.ip("route", "add", prefix, "via", nexthop)
    with Pressure(crossing, peer) as pressure:
        time.sleep(0.5)
    with pytest.raises(AssertionError, match="left in the clear"):
        pressure.check()


def routes_outside(crossing, peer):
    """A default route to the outside: what an operator's gateway has."""
    crossing.gw.ip("route", "add", "default", "via", "192.0.2.2")
    crossing.gw.ip("route", "add", "default", "via", "2001:db8:f::2")


def test_sigkill(crossing):
    peer = lay_tunnel(crossing)
    routes_outside(crossing, peer)
    with Pressure(crossing, peer) as pressure:
        time.sleep(0.5)
        assert pressure.sealed() > 100
        crossing.gateway.kill()
        attached = xdp_ids(crossing.gw)
        assert set(attached) == {"lan", "wan"}, "the program stays and drops"
        time.sleep(1.5)
    pressure.check()


def test_a_restart_takes_over_without_a_gap(crossing):
    peer = lay_tunnel(crossing)
    routes_outside(crossing, peer)
    gaps = []
    watching = threading.Event()

    def watch():
        while not watching.is_set():
            found = xdp_ids(crossing.gw)
            if set(found) != {"lan", "wan"}:
                gaps.append(found)

    watcher = threading.Thread(target=watch)
    with Pressure(crossing, peer) as pressure:
        time.sleep(0.3)
        crossing.gateway.kill()
        watcher.start()
        try:
            before = xdp_ids(crossing.gw)
            crossing.gateway.start()
            lay_tunnel(crossing)
            sealed = pressure.sealed()
            time.sleep(0.5)
            assert pressure.sealed() > sealed + 100, "traffic flows again"
            after = xdp_ids(crossing.gw)
        finally:
            watching.set()
            watcher.join()
    pressure.check()
    assert not gaps, f"at some moment there was no program: {gaps[0]}"
    assert set(before) == set(after)


def test_crash_loop(crossing):
    """Killed again and again, at any moment of its start."""
    peer = lay_tunnel(crossing)
    routes_outside(crossing, peer)
    chance = random.Random(4303)
    with Pressure(crossing, peer) as pressure:
        for round_ in range(12):
            crossing.gateway.kill()
            crossing.gateway.start(ready=False)
            if round_ % 4 == 3:
                crossing.gateway.wait_ready()
                lay_tunnel(crossing)
                time.sleep(0.3)
            else:
                time.sleep(chance.uniform(0.01, 1.2))
    pressure.check()


def test_sigterm_with_the_guard(crossing):
    """After a clean stop nothing of the gateway is left; a documented rule stands guard."""
    rules = crossing.lab.directory / "guard.nft"
    peer = lay_tunnel(crossing)
    routes_outside(crossing, peer)
    rules.write_text(guard())
    crossing.gw.run("nft", "-f", rules)
    with Pressure(crossing, peer) as pressure:
        time.sleep(0.3)
        sealed = pressure.sealed()
        assert sealed > 50, "the guard does not stand in the way of the gateway"
        assert crossing.gateway.stop() == 0
        assert xdp_ids(crossing.gw) == {}
        time.sleep(1)
        crossing.gateway.start()
        lay_tunnel(crossing)
        time.sleep(0.5)
        assert pressure.sealed() > sealed + 100
    pressure.check()


def guard():
    """conf/espalier-guard.nft with the devices of this laboratory."""
    text = GUARD.read_text()
    for side, device in (("protected", "lan"), ("unprotected", "wan")):
        text, count = re.subn(rf"^(define {side} = ).*$", rf'\1{{ "{device}" }}', text, flags=re.M)
        assert count == 1
    return text


def test_a_tunnel_without_sas_drops(crossing):
    """No SA is no reason to send in the clear."""
    peer = lay_tunnel(crossing)
    routes_outside(crossing, peer)
    with Pressure(crossing, peer) as pressure:
        time.sleep(0.3)
        crossing.gateway.call("sa.flush", tunnel=peer.name)
        time.sleep(0.5)
    pressure.check()
    assert crossing.gateway.drops()["tunnel_no_sa"] > 100


def test_a_foreign_xdp_program_is_a_configuration_error(lab):
    crossing = Crossing(lab, start=False)
    source = lab.directory / "pass.c"
    source.write_text('__attribute__((section("xdp"))) int foreign(void *ctx) { return 2; }\n'
                      'char licence[] __attribute__((section("license"))) = "GPL";\n')
    program = lab.directory / "pass.o"
    subprocess.run(["clang", "-O2", "-g", "-target", "bpf", "-c", source, "-o", program], check=True)
    crossing.gw.ip("link", "set", "dev", "lan", "xdpgeneric", "obj", program, "sec", "xdp")
    crossing.gateway.start(ready=False)
    assert crossing.gateway.process.wait(20) == 2
    assert "lan" in crossing.gateway.log() and "XDP" in crossing.gateway.log()
    assert "xdp" in crossing.gw.devices()["lan"], "and it is left alone"
