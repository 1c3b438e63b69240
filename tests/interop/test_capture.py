# SPDX-License-Identifier: BSD-3-Clause
"""tshark, given the keys, reads a capture of what we send."""

import itertools
import re
import struct
import subprocess

import pytest
from lab import wire
from lab.crossing import Peer

WAYS = list(itertools.product((4, 6), (False, True)))


def write_pcap(file, packets):
    """Link type 101: raw IP."""
    with open(file, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        for packet in packets:
            out.write(struct.pack("<IIII", 0, 0, len(packet), len(packet)) + packet)


def tshark(file, peer, *options):
    family = "IPv6" if ":" in peer.local else "IPv4"
    sa = (f'"{family}","*","*","0x{peer.spi_out:08x}","AES-GCM [RFC4106]",'
          f'"0x{peer.open.key.hex()}","NULL",""')
    done = subprocess.run(
        ["tshark", "-r", file, "-n", "-o", "esp.enable_encryption_decode:TRUE", "-o", f"uat:esp_sa:{sa}",
         "-d", f"udp.port=={peer.ports[1] or 4500},udpencap", *options], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def decrypted(dump):
    """
    The bytes of each "Decrypted Data" dump of `tshark -x`. What stands behind the inner
    packet there are padding and ICV, deciphered: tshark 4.0 counts the ICV as text.
    """
    for part in dump.split("Decrypted Data")[1:]:
        rows = re.findall(r"^[0-9a-f]{4}  ((?:[0-9a-f]{2} )+)", part.split("\n\n")[0], re.M)
        yield bytes.fromhex("".join(rows))


@pytest.mark.parametrize("outer, udp", WAYS)
def test_tshark_decrypts_what_we_send(crossing, peer_number, outer, udp):
    peer = Peer(crossing, peer_number(), outer, udp, esn=False)
    sent = []
    for n in range(8):
        family = (4, 6)[n % 2]
        src, dst = peer.host(family), peer.remote_host(family)
        text = f"message {n} in the tunnel".encode()
        sent.append(wire.ip_packet(src, dst, 17, wire.udp(src, dst, 7777, 8888, text)))
    crossing.hosts.send(*sent)
    file = crossing.lab.directory / f"{peer.name}.pcap"
    write_pcap(file, crossing.peers.receive(len(sent)))

    fields = tshark(file, peer, "-T", "fields", "-E", "occurrence=f", "-e", "esp.spi", "-e", "esp.sequence")
    assert fields.splitlines() == [f"0x{peer.spi_out:08x}\t{n + 1}" for n in range(len(sent))]
    got = list(decrypted(tshark(file, peer, "-x")))
    assert len(got) == len(sent)
    for data, packet in zip(got, sent):
        assert data.startswith(wire.forwarded(packet))
