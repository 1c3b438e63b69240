#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Write icmp_vectors.h: ICMP errors as scapy builds them."""
from scapy.all import (ICMP, IP, TCP, UDP, ICMPv6DestUnreach, ICMPv6PacketTooBig,
                       ICMPv6TimeExceeded, IPv6, IPv6ExtHdrDestOpt, Raw)

PATTERN = bytes(i * 7 & 0xff for i in range(2000))
FOUR, SIX = "198.51.100.1", "2001:db8:ffff::1"


def icmp4(about, **fields):
    return (IP(tos=0xc0, id=0, flags="DF", ttl=64, src=FOUR, dst=about.src)
            / ICMP(**fields) / Raw(bytes(about)[:576 - 28]))


def icmp6(about, error):
    return (IPv6(tc=0xc0, hlim=64, src=SIX, dst=about.src)
            / error / Raw(bytes(about)[:1280 - 48]))


def data(n):
    return Raw(PATTERN[:n])


def vectors():
    small4 = IP(src="10.1.2.3", dst="10.4.5.6", ttl=7) / UDP(sport=1, dport=2) / data(1)
    large4 = IP(src="10.1.2.3", dst="10.4.5.6", flags="DF") / TCP() / data(1400)
    empty4 = IP(src="192.0.2.200", dst="10.4.5.6", proto=47)
    small6 = IPv6(src="2001:db8::1", dst="2001:db8:1::2") / UDP(sport=1, dport=2) / data(3)
    large6 = (IPv6(src="2001:db8::1", dst="2001:db8:1::2") / IPv6ExtHdrDestOpt()
              / TCP() / data(1500))
    odd6 = IPv6(src="fe80::1", dst="2001:db8:1::2", nh=59) / data(1191)
    for about in small4, large4, empty4:
        yield "TOO_BIG", 1400, about, icmp4(about, type=3, code=4, nexthopmtu=1400)
    yield "TOO_BIG", 70000, small4, icmp4(small4, type=3, code=4, nexthopmtu=65535)
    yield "TTL_EXPIRED", 0, small4, icmp4(small4, type=11, code=0)
    yield "NO_ROUTE", 9, small4, icmp4(small4, type=3, code=0)
    yield "PROHIBITED", 0, small4, icmp4(small4, type=3, code=13)
    for about in small6, large6, odd6:
        yield "TOO_BIG", 1386, about, icmp6(about, ICMPv6PacketTooBig(mtu=1386))
    yield "TOO_BIG", 70000, small6, icmp6(small6, ICMPv6PacketTooBig(mtu=70000))
    yield "TTL_EXPIRED", 0, small6, icmp6(small6, ICMPv6TimeExceeded(code=0))
    yield "NO_ROUTE", 9, small6, icmp6(small6, ICMPv6DestUnreach(code=0))
    yield "PROHIBITED", 0, small6, icmp6(small6, ICMPv6DestUnreach(code=1))


def c_bytes(packet):
    raw = bytes(packet)
    lines = [", ".join(f"0x{b:02x}" for b in raw[i:i + 16]) for i in range(0, len(raw), 16)]
    return len(raw), ",\n".join("\t\t" + line for line in lines)


with open("icmp_vectors.h", "w", encoding="ascii") as out:
    out.write("/* SPDX-License-Identifier: BSD-3-Clause */\n"
              "/* Made by icmp_vectors.py with scapy; not to be edited. */\n"
              "/* clang-format off */\n"
              "static const struct {\n"
              "\tenum icmp_error_kind kind;\n\tuint32_t mtu;\n"
              "\tuint16_t about_len, error_len;\n"
              "\tuint8_t about[1600], error[1280];\n"
              "} vectors[] = {\n")
    for kind, mtu, about, error in vectors():
        about_len, about_c = c_bytes(about)
        error_len, error_c = c_bytes(error)
        out.write(f"\t{{ICMP_ERROR_{kind}, {mtu}, {about_len}, {error_len}, {{\n"
                  f"{about_c}}}, {{\n{error_c}}}}},\n")
    out.write("};\n/* clang-format on */\n")
