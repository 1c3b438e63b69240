# SPDX-License-Identifier: BSD-3-Clause
"""A million SAs are installed, and random ones of them carry traffic."""

import hashlib
import json
import random
import time

from lab import esp, wire
from lab.crossing import Crossing, Peer
from lab.gateway import RpcError

MILLION = 1_000_000
BATCH = 250


def key_of(spi):
    return hashlib.sha512(spi.to_bytes(4, "big")).digest()[:36]


def install(control, spis):
    """Batches of sa.add, made as text: the client should not be what is measured."""
    for start in range(0, len(spis), BATCH):
        part = spis[start:start + BATCH]
        control.socket.sendall(("[" + ",".join(
            f'{{"jsonrpc":"2.0","id":{spi},"method":"sa.add","params":{{"direction":"in","spi":{spi},'
            f'"tunnel":"t1","key":"{key_of(spi).hex()}"}}}}' for spi in part) + "]\n").encode())
        answers = json.loads(control.file.readline())
        for answer in answers:
            if "error" in answer:
                raise RpcError(answer["error"])


def test_a_million_sas(lab):
    crossing = Crossing(lab, {"limits": {"sas": MILLION + 1000}})
    peer = Peer(crossing, 1, 4)
    chance = random.Random(1_000_000)
    # As a foreign daemon would choose them: anywhere in 32 bits.
    spis = chance.sample(range(0x100000, 1 << 32), MILLION)
    crossing.gateway.control.socket.settimeout(60)
    start = time.monotonic()
    install(crossing.gateway.control, spis)
    took = time.monotonic() - start
    print(f"{MILLION} SAs in {took:.0f} s, {took / MILLION * 1e6:.0f} microseconds each")
    assert crossing.gateway.call("gateway.info")["sas_in"] == MILLION + 1

    chosen = chance.sample(spis, 2000)
    expected, got = [], []
    for n, spi in enumerate(chosen):
        packet = peer.inner_in(4, payload=n.to_bytes(4, "big"))
        crossing.peers.send(peer.inward.wrap(esp.Sa(spi, key_of(spi)).seal(packet)))
        expected.append(wire.forwarded(packet))
        if n % 32 == 31:
            got += crossing.hosts.receive(32)
    got += crossing.hosts.receive(len(expected) - len(got))
    assert got == expected, crossing.gateway.drops()
    assert crossing.gateway.drops() == {}
    for spi in chosen[:50]:
        assert crossing.gateway.sa("in", spi)["counters"]["packets"] == 1
    assert crossing.gateway.call("sa.flush", direction="in")["deleted"] == MILLION + 1
    assert crossing.gateway.call("gateway.info")["sas_in"] == 0
    assert crossing.gateway.tunnel("t1")["totals"]["packets_in"] == 2000
