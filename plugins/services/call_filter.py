"""Call filter: the calls of the kernel that a confined program is refused, as a seccomp program.

What no namespace keeps apart is refused here: the kernel's keyrings (what a release manager put
into that of the session with keyctl, krb5 or fscrypt could be read), sockets to the host of a
virtual machine or to a radio, and rings of calls, in which sockets are made that no filter sees.
"""

from __future__ import annotations

import os
import struct
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["filtered"]

# By the kernel's name of the architecture: add_key, request_key and keyctl; socket; and socketcall,
# whose family is in memory where no filter reads it, 0 where there is none. Source: linux/audit.h,
# and the tables of system calls of each architecture.
_CALLS: Final = {
    0xC000003E: ((248, 249, 250), 41, 0),  # x86_64
    0x40000003: ((286, 287, 288), 359, 102),  # i386, which an x86_64 kernel runs as well
    0xC00000B7: ((217, 218, 219), 198, 0),  # aarch64
    0x40000028: ((309, 310, 311), 281, 0),  # arm
    0xC00000F3: ((217, 218, 219), 198, 0),  # riscv64
    0xC0000015: ((269, 270, 271), 326, 102),  # ppc64le
    0x80000016: ((278, 279, 280), 359, 102),  # s390x
}
_RING: Final = 425
"""io_uring_setup, which has one number everywhere."""
_FAMILIES: Final = (1, 2, 10, 16, 17, 29, 38)
"""unix, inet, inet6, netlink, packet and can, which are each namespace's own; and alg, ciphers."""
_X32: Final = 0x40000000
"""Added to the number of a call of x86_64 whose pointers are short."""
_LOAD, _EQUAL, _JUMP, _BITS, _END = 0x20, 0x15, 0x05, 0x54, 0x06
_NUMBER, _ARCHITECTURE = 0, 4
_FIRST_ARGUMENT: Final = 16 if sys.byteorder == "little" else 20  # its lower half
_ALLOW: Final = 0x7FFF0000
_REFUSE: Final = 0x00050000
# What a kernel without them says, so that programs do without.
_EPERM, _ENOSYS, _EAFNOSUPPORT = 1, 38, 97


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
    for architecture, (keys, socket, socketcall) in _CALLS.items():
        # What follows is passed over where the program runs as another architecture.
        block = [(_LOAD, 0, 0, _NUMBER), (_BITS, 0, 0, ~_X32 & 0xFFFFFFFF)]
        block += _refused(keys, _EPERM)
        block += _refused((_RING, *((socketcall,) if socketcall else ())), _ENOSYS)
        block += [(_EQUAL, 1, 0, socket), (_END, 0, 0, _ALLOW)]
        block += [(_LOAD, 0, 0, _FIRST_ARGUMENT)]
        block += [(_EQUAL, len(_FAMILIES) - at, 0, each) for at, each in enumerate(_FAMILIES)]
        block += [(_END, 0, 0, _REFUSE | _EAFNOSUPPORT), (_END, 0, 0, _ALLOW)]
        lines += [(_LOAD, 0, 0, _ARCHITECTURE), (_EQUAL, 0, len(block), architecture), *block]
    lines.append((_END, 0, 0, _ALLOW))
    return b"".join(struct.pack("=HBBI", *line) for line in lines)


def _refused(calls: Sequence[int], error: int) -> list[tuple[int, int, int, int]]:
    """These end with the error; with any other the program goes on behind."""
    tried = [(_EQUAL, len(calls) - place, 0, call) for place, call in enumerate(calls)]
    # the last line is passed over by what is none of them
    return [*tried, (_JUMP, 0, 0, 1), (_END, 0, 0, _REFUSE | error)]
