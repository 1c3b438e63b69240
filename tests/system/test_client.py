# SPDX-License-Identifier: BSD-3-Clause
"""The C client and its example against a running gateway."""

import json

import pytest
from lab import gateway as programs
from lab import netns
from lab.crossing import Crossing

CLIENT = programs.BUILD / "lib" / "client"


@pytest.fixture
def crossing(lab):
    return Crossing(lab)


def environment(crossing):
    return {"ESPALIER_SOCKET": str(crossing.gateway.socket),
            "ESPALIER_PID": str(crossing.gateway.process.pid)}


def test_every_helper(crossing):
    run = crossing.gw.spawn(CLIENT / "client_gateway_test", env=environment(crossing))
    status = run.wait(60)
    assert status == 0, run.text()


def test_the_example_follows_the_gateway(crossing):
    gateway = crossing.gateway
    example = crossing.gw.spawn(CLIENT / "client_example", env=environment(crossing))

    def says(text):
        netns.wait_until(lambda: text in example.text(), f"the example prints {text}")

    says("tunnel paris receives on SPI")
    tunnel = gateway.call("tunnel.get", name="paris")
    assert tunnel["state"] == "up" and tunnel["remote"] == "203.0.113.2"
    [session] = gateway.call("session.list")["items"]
    assert session["name"] == "example" and session["grace"] == 60

    netns.wait_until(lambda: gateway.call("gateway.info")["clients"] >= 3, "it has subscribed")
    gateway.call("tunnel.delete", name="paris")
    says('"event":"tunnel.delete"')
    gateway.kill()
    gateway.start()
    says('"client.resumed"')
    gateway.call("tunnel.add", name="london", device="")
    gateway.call("tunnel.delete", name="london")
    says('"london"')
    for line in example.text().splitlines()[1:]:
        assert "event" in json.loads(line), line
    example.stop()
