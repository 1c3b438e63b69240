# SPDX-License-Identifier: BSD-3-Clause
"""The life of tunnels, in a file and through espctl."""

import json
import os
import pathlib

import pytest
from lab.crossing import Crossing, Peer
from lab.gateway import RpcError


def life(crossing, name=None):
    lines = [json.loads(line) for line in
             pathlib.Path(crossing.gateway.config["log"]["tunnels"]).read_text().splitlines()]
    return [line for line in lines if name is None or line.get("tunnel") == name]


def test_a_tunnels_life(lab):
    crossing = Crossing(lab)
    gateway = crossing.gateway
    peer = Peer(crossing, 1, 4)
    crossing.probe(peer)
    gateway.add_sa("out", peer.name, 0x33333, bytes(range(36)))
    gateway.call("tunnel.reset", name=peer.name, reason="customer called")
    Peer(crossing, 2, 4)
    gateway.call("tunnel.delete", name=peer.name)
    events = [line["event"] for line in life(crossing, peer.name)]
    assert events[0] == "TunnelConnected"
    assert events.count("TunnelRekeyed") == 1
    assert "TunnelReset" in events and "TunnelDisconnected" in events
    assert events[-1] == "TunnelDeleted"
    lines = {line["event"]: line for line in life(crossing, peer.name)}
    assert "customer called" in lines["TunnelReset"]["reason"]
    assert f"pid {os.getpid()}" in lines["TunnelReset"]["actor"]
    assert lines["TunnelDisconnected"]["packets_in"] == 1
    assert lines["TunnelConnected"]["remote"] == peer.remote

    # The same over the socket, and for people.
    items = gateway.call("tunnel.log", name=peer.name)["items"]
    assert items == life(crossing, peer.name)
    assert len(gateway.call("tunnel.log", name=peer.name, limit=2)["items"]) == 2
    said = gateway.espctl("tunnel", "log", peer.name)
    assert "customer called" in said and "TunnelDeleted" in said

    assert gateway.stop() == 0
    assert life(crossing)[-1]["event"] == "GatewayStopped"
    crossing.gateway.start()
    assert life(crossing)[-1]["event"] == "GatewayStarted"


def test_without_a_log(lab):
    crossing = Crossing(lab, config={"log": {"tunnels": "none"}})
    Peer(crossing, 1, 4)
    with pytest.raises(RpcError) as refused:
        crossing.gateway.call("tunnel.log", name="t1")
    assert refused.value.code == 7
    assert "log.tunnels" in refused.value.message
