# SPDX-License-Identifier: BSD-3-Clause
"""What a running process holds in its memory."""

import contextlib
import os
import pathlib
import re
import signal
import struct

PAGE = os.sysconf("SC_PAGE_SIZE")
AT_ONCE = 4 << 20


class Region:
    def __init__(self, line):
        span, self.permissions, _, _, _, *name = line.split(maxsplit=5)
        self.start, self.end = (int(part, 16) for part in span.split("-"))
        self.name = name[0].strip() if name else ""
        self.resident = 0
        self.flags = set()

    @property
    def dumped(self):
        """Whether a core file would hold it."""
        return "dd" not in self.flags

    def __repr__(self):
        return f"{self.start:x}-{self.end:x} {self.permissions} {self.name or 'anonymous'} {sorted(self.flags)}"


def regions(pid):
    found = []
    for line in pathlib.Path(f"/proc/{pid}/smaps").read_text().splitlines():
        key, _, value = line.partition(":")
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            found.append(Region(line))
        elif key in ("Rss", "Private_Hugetlb", "Shared_Hugetlb", "Swap"):
            found[-1].resident += int(value.split()[0])
        elif key == "VmFlags":
            found[-1].flags = set(value.split())
    return found


def present(pagemap, region):
    """Runs of pages of a region that are in memory or swapped out, as (address, length)."""
    run = None
    for first in range(region.start, region.end, AT_ONCE * 16):
        pages = (min(region.end, first + AT_ONCE * 16) - first) // PAGE
        pagemap.seek(first // PAGE * 8)
        entries = struct.unpack(f"={pages}Q", pagemap.read(pages * 8))
        for i, entry in enumerate(entries):
            address = first + i * PAGE
            if entry >> 62 == 0:
                if run:
                    yield run
                run = None
            elif run and run[1] < AT_ONCE:
                run = (run[0], run[1] + PAGE)
            else:
                if run:
                    yield run
                run = (address, PAGE)
    if run:
        yield run


@contextlib.contextmanager
def stopped(pid):
    """Nothing moves while somebody looks."""
    os.kill(pid, signal.SIGSTOP)
    try:
        while pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "T":
            pass
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def search(pid, needles):
    """
    Where the process has any of `needles` (name: bytes): a list of (name, Region).
    Needles may lie across pages.
    """
    found = []
    longest = max(len(needle) for needle in needles.values())
    with stopped(pid), open(f"/proc/{pid}/mem", "rb", 0) as memory, open(f"/proc/{pid}/pagemap", "rb", 0) as pagemap:
        for region in regions(pid):
            if "r" not in region.permissions or region.resident == 0 or region.name in ("[vvar]", "[vsyscall]"):
                continue
            tail, behind = b"", None
            for address, length in present(pagemap, region):
                try:
                    memory.seek(address)
                    text = memory.read(length)
                except OSError:
                    # Device memory and the like.
                    break
                if address == behind:
                    text = tail + text
                found += [(name, region) for name, needle in needles.items() if needle in text]
                tail, behind = text[1 - longest:], address + length
    return found
