from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from doit_receipts.errors import SettingsError
from plugins.model.declared import Mistakes
from plugins.model.toml_file import declared_content

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "read", "place"),
    [
        ("a = [1, 2]", {"a": [1]}, "a"),
        ("a = [[1], [2]]", {"a": [[1], [3]]}, "a[2][1]"),
        ("a = 1", {}, "a"),
        ("", {"a": 1}, "a"),
        ("[a]\nb = 1", {"a": {"b": 2}}, "a.b"),
        ("a = true", {"a": 1}, "a"),
        ("a = '1'", {"a": 1}, "a"),
    ],
)
def test_reader_that_loses_anything_is_found_out(
    tmp_path: Path, text: str, read: dict[str, Any], place: str
) -> None:
    file = tmp_path / "release.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as raised:
        declared_content(file, lambda _: read, Mistakes(file))
    assert str(raised.value) == (
        f"release.toml: {place} is misread by the toml library; write it in a plainer form"
    )


def test_content_that_both_readers_agree_on_is_given(tmp_path: Path) -> None:
    file = tmp_path / "release.toml"
    file.write_text("a = [{b = 1}]\n")
    assert declared_content(file, lambda _: {"a": [{"b": 1}]}, Mistakes(file)) == {"a": [{"b": 1}]}
