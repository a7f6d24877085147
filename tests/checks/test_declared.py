"""What release.toml leaves out is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks.declared import nothing_is_left_out
from plugins.model.local_settings import SourceTest

if TYPE_CHECKING:
    from tests.conftest import Builds


@pytest.mark.parametrize(
    ("version", "test", "formats", "rules"),
    [
        ("3.13.6", SourceTest.FULL, ("html",), []),
        ("3.13.6", SourceTest.QUICK, ("html",), []),
        ("3.13.6", SourceTest.NONE, ("html",), ["tests.none"]),
        ("3.13.6", SourceTest.FULL, (), ["docs.none"]),
        ("3.13.6", SourceTest.NONE, (), ["tests.none", "docs.none"]),
        ("3.15.0a2", SourceTest.FULL, (), []),
    ],
)
def test_what_is_left_out_is_a_warning(
    a_release: Builds, version: str, test: SourceTest, formats: tuple[str, ...], rules: list[str]
) -> None:
    found = nothing_is_left_out(a_release(version), test, formats)
    assert [each.rule for each in found] == rules
    assert all(each.severity.name == "WARN" for each in found)
