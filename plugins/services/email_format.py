"""Email format: the bytes of an email on the wire, which mail programs decode to exactly the text.

The text is sent as quoted-printable in which every line end is encoded too. So nothing on the
way can change it: not the line ends of servers, not the limit of 998 characters, not the mailboxes
that put ``>`` before "From ", not those that cut spaces at line ends. Source: RFC 2045 section
6.7, RFC 2047, RFC 5322.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from plugins.ports.email import Email

__all__ = ["wire_bytes"]

# Of 76 that quoted-printable allows, with room for a first character that is encoded after all.
_LINE_MOST: Final = 73
# Spaces and tabs as well: each line ends with the mark of a soft break, never with one of them.
_SAFE: Final = frozenset(range(32, 127)) - {ord("=")} | {ord("\t")}
_WORD_MOST_BYTES: Final = 42  # 56 characters of base64 between =?utf-8?b? and ?=: 68 in all
_PLAIN_SUBJECT: Final = re.compile(r"[!-~]+(?: [!-~]+)*")
_PLAIN_MOST: Final = 68


def wire_bytes(email: Email, date: str) -> bytes:
    """The complete email with CRLF line ends, ASCII only; ``date`` as RFC 5322 writes it.

    Raises UnicodeEncodeError for a text that UTF-8 cannot hold. Addresses and Message-ID are the
    caller's to judge: they are written as they are.
    """
    head = (
        f"Message-ID: {email.message_id}",
        f"From: {email.sender}",
        "To: " + ",\r\n ".join(email.to),
        f"Subject: {_subject(email.subject)}",
        f"Date: {date}",
        "MIME-Version: 1.0",
        'Content-Type: text/plain; charset="utf-8"',
        "Content-Transfer-Encoding: quoted-printable",
    )
    return "\r\n".join((*head, "", "")).encode("ascii") + _quoted(email.text.encode())


def _subject(subject: str) -> str:
    """The subject as it is where that is safe; else as encoded words, cut between characters."""
    if _PLAIN_SUBJECT.fullmatch(subject) and len(subject) <= _PLAIN_MOST and "=?" not in subject:
        return subject
    words, part = [], b""
    for character in subject:
        encoded = character.encode()
        if len(part) + len(encoded) > _WORD_MOST_BYTES:
            words.append(part)
            part = b""
        part += encoded
    words.append(part)
    return "\r\n ".join(f"=?utf-8?b?{base64.b64encode(word).decode()}?=" for word in words)


def _quoted(content: bytes) -> bytes:
    """The content as quoted-printable: a line of its own for each line, its end encoded."""
    return b"".join(_line(line) for line in content.splitlines(keepends=True))


def _line(line: bytes) -> bytes:
    units = [_unit(byte) for byte in line]
    written, room = b"", b""
    for unit in units:
        if len(room) + len(unit) > _LINE_MOST:
            written += _guarded(room)
            room = b""
        room += unit
    return written + _guarded(room)


def _guarded(room: bytes) -> bytes:
    """One line of the wire. It ends softly, so that what was approved ends with its last byte."""
    if room.startswith((b"From ", b".")):
        room = b"=%02X" % room[0] + room[1:]
    return room + b"=\r\n"


def _unit(byte: int) -> bytes:
    return bytes((byte,)) if byte in _SAFE else b"=%02X" % byte
