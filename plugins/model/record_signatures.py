"""Record signatures: the one form of the two signatures beside a release manifest.

The manifest lists every other file, and nothing lists these two; so that a byte more or less in
them is seen, a bundle is compact JSON with sorted keys, and an OpenPGP signature what gpg writes.
"""

from __future__ import annotations

import json
import re
from typing import Final

from plugins.model.published_file import BUNDLE_SUFFIX

__all__ = ["is_plain_signature", "plain_bundle"]

_ARMOR: Final = re.compile(
    rb"-----BEGIN PGP SIGNATURE-----\n\n(?:[A-Za-z0-9+/]{64}\n)*[A-Za-z0-9+/]{1,64}={0,2}\n"
    rb"(?:=[A-Za-z0-9+/]{4}\n)?-----END PGP SIGNATURE-----\n"
)
_MOST_BYTES: Final = 1 << 16
_MOST_BRACKETS: Final = 200
"""A bundle has about thirty; of more none is read, whatever they are nested in."""


def plain_bundle(raw: bytes) -> bytes:
    """A bundle of Sigstore in its one form. Raises ValueError for what is no JSON."""
    if len(raw) > _MOST_BYTES or raw.count(b"{") + raw.count(b"[") > _MOST_BRACKETS:
        message = "too large for a bundle"
        raise ValueError(message)
    text = json.dumps(json.loads(raw), sort_keys=True, separators=(",", ":"))
    return f"{text}\n".encode()


def is_plain_signature(name: str, raw: bytes) -> bool:
    """Whether the file is in the one form of its kind."""
    if not name.endswith(BUNDLE_SUFFIX):
        return _ARMOR.fullmatch(raw) is not None
    try:
        return plain_bundle(raw) == raw
    except ValueError:
        return False
