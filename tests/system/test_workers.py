# SPDX-License-Identifier: BSD-3-Clause
"""Two workers, two queues: SAs owned by one worker, packets received by the other."""

import time

import pytest
from lab import stream, wire
from lab.crossing import Crossing, Peer
from lab.sites import HOST, Sites

TWO = {"workers": {"lcores": [0, 1], "idle": "sleep"}}


@pytest.fixture
def crossing(lab):
    return Crossing(lab, TWO, queues=2)


def test_packets_cross_workers(crossing):
    info = crossing.gateway.call("gateway.info")
    assert info["workers"] == 2
    peers = [Peer(crossing, number, (4, 6)[number % 2], udp=number % 4 < 2) for number in range(1, 17)]
    owners = {crossing.gateway.sa("in", peer.spi_in)["worker"] for peer in peers}
    assert owners == {0, 1}, "SAs are spread over the workers"

    expected, got = [], []
    for round_ in range(40):
        for peer in peers:
            # Many flows, so that the kernel spreads them over the queues.
            src, dst = peer.remote_host(4, 2 + round_), peer.host(4)
            packet = wire.ip_packet(src, dst, 17, wire.udp(src, dst, 1000 + round_, 2000, bytes([round_])))
            peer.send(packet)
            expected.append(wire.forwarded(packet))
            src, dst = peer.host(4, 2 + round_), peer.remote_host(4)
            crossing.hosts.send(wire.ip_packet(src, dst, 17, wire.udp(src, dst, 1000 + round_, 2000, b"out")))
        got += crossing.hosts.receive(len(peers))
    got += crossing.hosts.receive(len(expected) - len(got))
    outward = crossing.peers.receive(len(expected))
    assert sorted(got) == sorted(expected), crossing.gateway.drops()
    assert len(outward) == len(expected), crossing.gateway.drops()
    for peer in peers:
        mine = [peer.opened(ip).seq for ip in outward if wire.packed(peer.remote) in ip[:40]]
        assert sorted(mine) == list(range(1, 41)), "numbers are given once, none left out"

    workers = crossing.gateway.call("counters.get")["workers"]
    assert all(worker["rx"] > 0 and worker["tx"] > 0 for worker in workers), workers
    assert all(worker["to_workers"] > 0 and worker["from_workers"] > 0 for worker in workers), workers
    total = crossing.gateway.at_rest()
    assert total["drops"] == 0 and total["difference"] == 0
    assert total["to_workers"] == total["from_workers"]


def test_replay_is_one_window_for_all_queues(crossing):
    """The same packet on both queues is one packet."""
    peer = Peer(crossing, 1, 4, udp=True)
    sealed = [peer.seal.seal(peer.inner_in(4, payload=bytes([n]))) for n in range(50)]
    for sport in range(4500, 4540):
        # The source port decides about the queue.
        way = type(peer.inward)(peer.inward.src, peer.inward.dst, sport, 4500)
        crossing.peers.send(*(way.wrap(esp) for esp in sealed))
        time.sleep(0.01)
    assert len(crossing.hosts.receive(51, seconds=1)) == 50
    counters = crossing.gateway.sa("in", peer.spi_in)["counters"]
    assert counters["packets"] == 50
    assert counters["replay"] + counters["window"] == 39 * 50
    workers = crossing.gateway.call("counters.get")["workers"]
    assert all(worker["rx"] > 0 for worker in workers), "both queues were used"


def test_queues_set_with_ethtool(lab):
    """A device with more queues than the gateway uses, narrowed as DESIGN for real NICs says."""
    crossing = Crossing(lab, TWO, queues=4, start=False)
    for namespace, device in ((crossing.gw, "lan"), (crossing.gw, "wan"),
                              (crossing.hosts_ns, "lan"), (crossing.peers_ns, "wan")):
        namespace.run("ethtool", "-L", device, "rx", 2, "tx", 2)
    for port in crossing.gateway.config["ports"]:
        port["queues"] = 2
    crossing.gateway.start()
    peer = Peer(crossing, 1, 4)
    for flow in range(32):
        src, dst = peer.host(4, 2 + flow), peer.remote_host(4)
        crossing.hosts.send(wire.ip_packet(src, dst, 17, wire.udp(src, dst, flow, 1, b"x")))
    assert len(crossing.peers.receive(32)) == 32, crossing.gateway.drops()
    workers = crossing.gateway.call("counters.get")["workers"]
    assert all(worker["rx"] > 0 for worker in workers), workers


def test_kernel_traffic_over_two_workers(lab):
    two = Sites(lab, TWO, queues=2)
    two.connect()
    for family in (4, 6):
        source, sink = HOST[family]
        with stream.Stream(two.host_a, source, two.host_b, sink, rate=3000, flows=8) as one:
            one.arrived()
            time.sleep(1)
        one.lossless(order=False)
    assert two.a.at_rest()["difference"] == two.b.at_rest()["difference"] == 0


def test_one_flow_stays_in_order(lab):
    two = Sites(lab, TWO, queues=2)
    two.connect()
    source, sink = HOST[4]
    with stream.Stream(two.host_a, source, two.host_b, sink, rate=4000) as one:
        one.arrived()
        time.sleep(1)
    one.lossless()
