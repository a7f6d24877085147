"""Bounds: how much and how long an answer may be before it is given up, or asked for again."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Bounds"]


class Bounds(NamedTuple):
    """An answer may take ``grace_s``, and then for its bytes what ``least_rate`` allows.

    It takes no longer than ``longest_s`` in any case. ``silence_s`` is the longest time without
    any byte, and for making a connection; ``size_bytes`` is the largest answer that is read.
    A server that was asked too often, and does not say for how long, is left alone for
    ``throttled_s``.
    """

    grace_s: float = 60.0
    least_rate: int = 20_000
    silence_s: float = 20.0
    longest_s: float = 300.0
    size_bytes: int = 1 << 25
    throttled_s: float = 1.0
