# SPDX-License-Identifier: BSD-3-Clause
"""Who installed what: leftovers of a vanished client carry on, are marked, and go."""

import pytest
from lab import netns
from lab.crossing import Crossing, Peer
from lab.gateway import Control


@pytest.fixture
def crossing(lab):
    return Crossing(lab)


def of(crossing, name):
    """The session of that name, or None."""
    for one in crossing.gateway.call("session.list")["items"]:
        if one["name"] == name:
            return one
    return None


def as_client(crossing, name, grace=0):
    """A connection of its own, which the crossing's gateway uses from now on."""
    control = Control(crossing.gateway.socket)
    told = control.call("session.open", {"name": name, "grace": grace})
    crossing.gateway.control = control
    return control, told


def test_a_crashed_client_comes_back(crossing):
    operator = crossing.gateway.control
    first, told = as_client(crossing, "charon")
    assert told["resumed"] is False
    kept, dropped = Peer(crossing, 1, 4), Peer(crossing, 2, 4)
    first.close()
    crossing.gateway.control = operator
    # It is gone, and nobody notices: traffic flows on.
    crossing.probe(kept)
    crossing.probe_out(dropped)
    again, told = as_client(crossing, "charon")
    assert told["resumed"] is True
    assert told["marked"]["sas"] == 4 and told["marked"]["tunnels"] == 2
    for direction, sa in (("in", kept.seal), ("out", kept.open)):
        again.call("sa.add", {"direction": direction, "spi": sa.spi, "tunnel": kept.name,
                              "key": sa.key.hex(), "exist_ok": True})
    again.call("tunnel.add", {"name": kept.name, "local": kept.local, "remote": kept.remote, "exist_ok": True})
    again.call("session.sweep")
    netns.wait_until(lambda: [t["name"] for t in again.call("tunnel.list")["items"]] == [kept.name],
                     "only what was confirmed is left")
    assert crossing.probe(kept) == []
    assert crossing.probe_out(kept) == []


def test_grace_passes(crossing):
    operator = crossing.gateway.control
    mine = Peer(crossing, 1, 4)
    client, _ = as_client(crossing, "charon", grace=2)
    theirs = Peer(crossing, 2, 4)
    client.call("spi.alloc")
    client.close()
    crossing.gateway.control = operator
    assert of(crossing, "charon")["connections"] == 0
    crossing.probe_out(theirs)
    netns.wait_until(lambda: [t["name"] for t in operator.call("tunnel.list")["items"]] == [mine.name],
                     "what the vanished client installed goes after its grace", seconds=10)
    assert crossing.probe_out(mine) == []
    assert [sa["tunnel"] for sa in operator.call("sa.list")["items"]] == [mine.name] * 2
