"""The lock of the documentation tools: each package by the hashes of its files, or refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.model.pylock import NoLock, read_lock

A, B = "a" * 64, "b" * 64
LOCK = f"""
lock-version = "1.0"
created-by = "uv"
requires-python = ">=3.12"

[[packages]]
name = "alabaster"
version = "1.0.0"
sdist = {{ url = "https://example.org/alabaster-1.0.0.tar.gz", hashes = {{ sha256 = "{A}" }} }}
wheels = [{{ url = "https://example.org/a.whl", size = 1, hashes = {{ sha256 = "{B}" }} }}]

[[packages]]
name = "colorama"
version = "0.4.6"
marker = "sys_platform == 'win32'"
wheels = [{{ url = "https://example.org/c.whl", hashes = {{ sha256 = "{A}" }} }}]

[[packages]]
name = "pygments"
archive = {{ url = "https://example.org/pygments/1.tar.gz", hashes = {{ sha256 = "{B}" }} }}
"""


def test_each_package_is_pinned_to_the_hashes_of_its_files() -> None:
    locked = read_lock(LOCK.encode())
    assert locked.least_minor == 12
    assert locked.requirements.splitlines() == [
        f"alabaster==1.0.0 --hash=sha256:{B} --hash=sha256:{A}",
        f"colorama==0.4.6 ; sys_platform == 'win32' --hash=sha256:{A}",
        f"pygments @ https://example.org/pygments/1.tar.gz --hash=sha256:{B}",
    ]


@pytest.mark.parametrize(
    ("there", "instead", "problem"),
    [
        ('lock-version = "1.0"', 'lock-version = "2.0"', "lock-version is '2.0', wanted 1.0"),
        ('lock-version = "1.0"', "", "lock-version is None, wanted 1.0"),
        ('lock-version = "1.0"', "lock-version = 1", "lock-version is 1, wanted 1.0"),
        (f'sha256 = "{A}"', 'sha256 = "abc"', "alabaster has an odd sha256"),
        (f'sha256 = "{A}"', f'md5 = "{A}"', "alabaster has no sha256"),
        ('"alabaster"', '"alabaster\\n--index-url=https://evil"', "a package has an odd name"),
        ('"alabaster"', '"-r /etc/passwd"', "a package has an odd name"),
        ('"1.0.0"', '"1.0.0 --no-deps"', "alabaster has an odd version"),
        ('version = "1.0.0"', "", "alabaster has no version"),
        ("sys_platform ==", "sys_platform\\n==", "colorama has an odd marker"),
        ("== 'win32'", "== 'w' --config-settings=a", "colorama has an odd marker"),
        ("https://example.org/pyg", "file:///tmp/pyg", "pygments has an odd url"),
        ("https://example.org/pyg", "https://user@example.org/pyg", "pygments has an odd url"),
        ("archive = {", "vcs = {", "pygments has no sha256"),
        ("[[packages]]", "[packages]", "Cannot"),
        ("[[packages]]", "[[nothing]]", "it lists no packages"),
    ],
)
def test_anything_else_is_refused_with_what_is_wrong(
    there: str, instead: str, problem: str
) -> None:
    assert there in LOCK
    with pytest.raises(NoLock) as caught:
        read_lock(LOCK.replace(there, instead).encode())
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.binary())
def test_bytes_of_any_kind_are_a_lock_or_refused(raw: bytes) -> None:
    with pytest.raises(NoLock):
        read_lock(raw)


@given(st.text(alphabet="-= @;#\\\n\"'abc1.:/", min_size=1))
def test_no_name_and_no_version_says_more_to_pip_than_itself(text: str) -> None:
    quoted = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    for there in ('"colorama"', '"0.4.6"', "\"sys_platform == 'win32'\""):
        try:
            locked = read_lock(LOCK.replace(there, f'"{quoted}"').encode())
        except NoLock:
            continue
        lines = locked.requirements.splitlines()
        assert len(lines) == 3
        assert all(line.count("--hash=sha256:") >= 1 for line in lines)
        assert not any(
            line.startswith(("-", "#", "/")) or " -" in line.split(" --hash")[0] for line in lines
        )
