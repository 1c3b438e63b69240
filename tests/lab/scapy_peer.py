# SPDX-License-Identifier: BSD-3-Clause
"""
scapy's IPsec layer as the peer. It takes any IV, sends the UDP checksum as zero
also in IPv6, and knows the high half of an ESN only when told.
"""

import struct

from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.ipsec import ESP, SecurityAssociation


def association(sa, outer):
    """For lab.esp.Sa and Outer."""
    family = IPv6 if ":" in outer.src else IP
    return SecurityAssociation(
        ESP, spi=sa.spi, crypt_algo="AES-GCM", crypt_key=sa.key, esn_en=sa.esn,
        tunnel_header=family(src=outer.src, dst=outer.dst),
        nat_t_header=UDP(sport=outer.sport, dport=outer.dport) if outer.sport else None)


def parse(ip):
    return (IPv6 if ip[0] >> 4 == 6 else IP)(ip)


def sealed(association, inner, seq, high=0):
    """The whole outer packet as bytes. The IV is random, as RFC 4106 allows a sender."""
    ip = bytes(association.encrypt(parse(inner), seq_num=seq, esn=high))
    if association.nat_t_header is None:
        return ip
    # scapy 2.5 leaves the UDP length as that of the header alone in IPv4.
    at = 20 if ip[0] >> 4 == 4 else 40
    return ip[:at + 4] + struct.pack("!H", len(ip) - at) + ip[at + 6:]


def opened(association, ip, high=0):
    packet = parse(ip)
    if ESP not in packet:
        # scapy finds ESP behind UDP only on port 4500 as destination.
        packet[UDP].decode_payload_as(ESP)
    return bytes(association.decrypt(packet, esn=high))
