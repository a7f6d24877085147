"""Tests of the lock of a series' documentation tools: one spelling, and nothing else is one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.model.docs_lock import DocsLock, Pin, changes, digest_of, read_docs_lock
from plugins.model.docs_requirements import gathered
from plugins.model.pylock import NoLock

PINS = (Pin("Sphinx", "8.2.3", "a" * 64), Pin("blurb", "2.3.0", "b" * 64))
LOCK = DocsLock("3.13", "CPython 3.11 on linux-x86_64", "c" * 64, PINS)


def test_lock_is_read_as_it_was_written() -> None:
    read = read_docs_lock(LOCK.content)
    assert read.content == LOCK.content
    assert [pin.name for pin in read.pins] == ["blurb", "Sphinx"]
    assert (read.series, read.machine, read.required) == ("3.13", LOCK.machine, LOCK.required)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# Documentation", "# documentation"),
        ("Required: c", "Required: C"),
        ("blurb==2.3.0", "blurb>=2.3.0"),
        ("blurb==2.3.0 --hash=sha256:" + "b" * 64, "blurb==2.3.0"),
        ("blurb==", "--index-url=https://evil.example/ blurb=="),
        ("blurb==2.3.0", "blurb==2.3.0 ; python_version > '3'"),
        ("blurb==", "-e ./blurb=="),
        ("blurb", "zlurb"),
        ("Sphinx", "blurb"),
        ("sha256:" + "a" * 64, "sha256:" + "a" * 64 + " --hash=sha256:" + "d" * 64),
        ("8.2.3", "8.2.3\\\n"),
        ("8.2.3", "8.2.3\u0661"),
    ],
)
def test_other_spelling_is_no_lock(old: str, new: str) -> None:
    text = LOCK.content.decode()
    assert old in text
    with pytest.raises(NoLock):
        read_docs_lock(text.replace(old, new).encode())


@given(st.integers(0, len(LOCK.content) - 1), st.binary(max_size=3))
def test_altered_lock_is_refused_or_says_something_else(place: int, more: bytes) -> None:
    raw = LOCK.content[:place] + more + LOCK.content[place + 1 :]
    try:
        read = read_docs_lock(raw)
    except NoLock:
        return
    assert read.content == raw


def test_no_package_is_no_lock() -> None:
    with pytest.raises(NoLock):
        read_docs_lock(DocsLock("3.13", "any", "c" * 64, ()).content)


def test_changes_are_named_by_package() -> None:
    new = (Pin("sphinx", "8.2.4", "d" * 64), Pin("Jinja2", "3.1", "e" * 64))
    assert list(changes(PINS, new)) == ["blurb is gone", "Jinja2 3.1 is new",
                                        "sphinx 8.2.3 -> 8.2.4"]  # fmt: skip
    other = (Pin("Sphinx", "8.2.3", "d" * 64), PINS[1])
    assert list(changes(PINS, other)) == ["Sphinx 8.2.3 is another file"]


def test_files_that_requirements_name_count() -> None:
    files = {"requirements.txt": "-c constraints.txt\n-r ../outside.txt\nSphinx\n",
             "constraints.txt": "Sphinx<9\n"}  # fmt: skip

    def read(name: str) -> str | None:
        return files.get(name)

    found = gathered(read)
    assert found == {name: text.encode() for name, text in files.items()}
    assert digest_of(found) != digest_of({**found, "constraints.txt": b"Sphinx<8\n"})
    assert gathered(lambda _: None) == {}
