"""Tests of the text that asks others to test what CI built."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import StepFailed
from plugins.steps import invitation

if TYPE_CHECKING:
    from tests.conftest import Builds

RUN = "https://github.com/python/release-tools/actions/runs/17"


def test_text_names_every_file_of_the_run_and_where_it_is(a_release: Builds) -> None:
    release = a_release("3.14.2")
    files = {"source/Python-3.14.2.tgz": "a" * 64, "android/python-3.14.2-android.tar.gz": "b" * 64}
    facts = invitation.write(release, {"run": "17", **files}, RUN)
    assert facts == {"files": "2", "from": RUN}
    text = (release.layout.made / invitation.INVITATION).read_text()
    assert "Python 3.14.2 is about to be released: please test" in text
    assert f"artifacts of {RUN}" in text
    for name, sha256 in files.items():
        artifact, _, file = name.partition("/")
        assert f"| {artifact} | {file} | `{sha256}` |" in text
    assert "python.org/ftp" not in text  # hidden until it is final


def test_run_without_files_invites_nobody(a_release: Builds) -> None:
    with pytest.raises(StepFailed, match="no file that anybody could test"):
        invitation.write(a_release("3.14.2"), {"run": "17"}, RUN)
