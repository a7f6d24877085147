"""Call filter: the calls of the kernel that a confined program is refused, as a seccomp program.

The kernel's keyrings are shared through every namespace: what a release manager put into that of
the session (keyctl, krb5, fscrypt) could be read. Nothing else is refused here, namespaces do that.
"""

from __future__ import annotations

import os
import struct
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["filtered"]

# add_key, request_key and keyctl by the kernel's name of the architecture. Source: linux/audit.h,
# and the tables of system calls of each architecture.
_KEYS: Final = {
    0xC000003E: (248, 249, 250),  # x86_64
    0x40000003: (286, 287, 288),  # i386, which an x86_64 kernel runs as well
    0xC00000B7: (217, 218, 219),  # aarch64
    0x40000028: (309, 310, 311),  # arm
    0xC00000F3: (217, 218, 219),  # riscv64
    0xC0000015: (269, 270, 271),  # ppc64le
    0x80000016: (278, 279, 280),  # s390x
}
_X32: Final = 0x40000000
"""Added to the number of a call of x86_64 whose pointers are short."""
_LOAD, _EQUAL, _BITS, _END = 0x20, 0x15, 0x54, 0x06
_NUMBER, _ARCHITECTURE = 0, 4
_ALLOW: Final = 0x7FFF0000
_REFUSE: Final = 0x00050000 | 1  # EPERM


@contextmanager
def filtered() -> Iterator[tuple[int, ...]]:
    """A descriptor of the filter while the block lasts, for bubblewrap; none but on Linux."""
    if not hasattr(os, "memfd_create"):
        yield ()
        return
    descriptor = os.memfd_create("pep101-filter")
    try:
        os.write(descriptor, _program())
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield (descriptor,)
    finally:
        os.close(descriptor)


def _program() -> bytes:
    """For each architecture its calls; whatever is not named is allowed."""
    lines: list[tuple[int, int, int, int]] = []
    for architecture, calls in _KEYS.items():
        # What follows is passed over where the program runs as another architecture.
        block = [(_LOAD, 0, 0, _NUMBER), (_BITS, 0, 0, ~_X32 & 0xFFFFFFFF)]
        block += [(_EQUAL, len(calls) - place, 0, call) for place, call in enumerate(calls)]
        block += [(_END, 0, 0, _ALLOW), (_END, 0, 0, _REFUSE)]
        lines += [(_LOAD, 0, 0, _ARCHITECTURE), (_EQUAL, 0, len(block), architecture), *block]
    lines.append((_END, 0, 0, _ALLOW))
    return b"".join(struct.pack("=HBBI", *line) for line in lines)
