# SPDX-License-Identifier: BSD-3-Clause
"""Rekeys under load lose and reorder nothing, and totals go on."""

import time

import pytest
from lab import sites, stream


@pytest.mark.parametrize("family", (4, 6))
@pytest.mark.parametrize("udp", (False, True))
def test_rekey_under_load(lab, family, udp):
    two = sites.Sites(lab)
    two.connect(udp=udp)
    source, sink = sites.HOST[family]
    with stream.Stream(two.host_a, source, two.host_b, sink, rate=3000) as out, \
            stream.Stream(two.host_b, sink, two.host_a, source, rate=3000, port=9001) as back:
        out.arrived()
        back.arrived()
        for _ in range(20):
            old = two.rekey(udp=udp)
            time.sleep(0.1)
            two.forget(old)
    out.lossless()
    back.lossless()
    for gateway, tunnel in ((two.a, "site-b"), (two.b, "site-a")):
        totals = gateway.tunnel(tunnel)["totals"]
        assert totals["packets_out"] >= out.sent * (gateway is two.a)
        assert totals["drops_in"] == totals["drops_out"] == 0
        assert len(gateway.call("sa.list")["items"]) == 2
    # What both have counted over 21 generations of SAs is the same.
    a, b = two.a.tunnel("site-b")["totals"], two.b.tunnel("site-a")["totals"]
    assert (a["packets_out"], a["packets_in"]) == (b["packets_in"], b["packets_out"])


def test_sending_falls_back_to_the_sa_before(lab):
    two = sites.Sites(lab)
    two.connect()
    old = two.rekey()
    source, sink = sites.HOST[4]
    with stream.Stream(two.host_a, source, two.host_b, sink, rate=2000) as one:
        one.arrived()
        for sender, tunnel, _, spi, _ in two.sas:
            sender.call("sa.delete", direction="out", spi=spi, tunnel=tunnel)
        time.sleep(0.3)
    one.lossless()
    sender, tunnel, _, spi, _ = old[0]
    assert sender.sa("out", spi, tunnel=tunnel)["counters"]["packets"] > 100
