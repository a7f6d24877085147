"""Which names every system can have."""

from __future__ import annotations

import pytest

from plugins.model.file_names import is_odd


@pytest.mark.parametrize(
    "name",
    ["aux", "NUL.txt", "com1.py", "con .txt", "conin$", "CONOUT$.log", "com\xb9.txt", "lpt\xb3"],
)
def test_every_device_of_windows_is_known(name: str) -> None:
    """Source: Microsoft's "Naming Files, Paths, and Namespaces"; superscript digits count."""
    assert is_odd(f"Python-3.14.1/Lib/{name}")


@pytest.mark.parametrize("name", ["auxiliary.py", "contents.rst", "com.py", "console.c", "nul_.h"])
def test_names_that_only_begin_like_one_pass(name: str) -> None:
    assert not is_odd(f"Python-3.14.1/Lib/{name}")


def test_half_of_a_surrogate_pair_is_odd_and_no_traceback() -> None:
    """JSON may hold one, and a name of git or tar any byte."""
    assert is_odd("Lib/\ud800.py")
    assert is_odd("Lib/\udcff.py")
