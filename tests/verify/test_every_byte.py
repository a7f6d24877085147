"""One bit of every file that is public, each at the same time: all of them are told by name."""

from __future__ import annotations

import copy
import json
import re
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from checks.sbom import sboms_are_true, sboms_tell_content
from checks.sbom_statements import sboms_say_nothing_else
from doit_receipts.errors import ReleaseError
from plugins.services.git_clone import GitClone
from plugins.services.programs import MachinePrograms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.released import Released

pytestmark = pytest.mark.slow


def flip(path: Path) -> None:
    """One bit in the middle is another."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_one_bit_of_any_hosted_page_is_told(
    world: Released, count: Callable[[str, int], None]
) -> None:
    """Scripts and images of the theme, sources and the search index are pages as well."""
    pages = [
        each
        for each in sorted(world.docs.rglob("*"))
        if each.is_file() and not each.name.startswith(".") and each.stat().st_size
    ]
    for page in pages:
        flip(page)
    shutil.rmtree(world.world / "state" / "cdn" / "docs", ignore_errors=True)
    found = world.look().findings
    names = {each.relative_to(world.docs).as_posix() for each in pages}
    told = {each.where.partition(" at ")[0] for each in found if each.rule == "docs.hosted"}
    assert told == names
    assert {name.rpartition(".")[2] for name in names} >= {"html", "js", "css", "png", "txt", "inv"}
    count("hosted pages with another bit were told by name", len(names))


Place = tuple[str | int, ...]


def places(value: Any, here: Place = ()) -> Iterator[Place]:
    """Where each value of a document is, lists and objects too."""
    yield here
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from places(inner, (*here, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from places(inner, (*here, number))


def alterations(document: Any) -> Iterator[tuple[str, Any]]:
    """The document with one thing otherwise, for each kind of place the first and the last."""
    kinds: dict[str, list[Place]] = {}
    for place in places(document):
        kinds.setdefault(re.sub(r"\b\d+\b", "#", ".".join(map(str, place))), []).append(place)
    for kind, all_ in kinds.items():
        for place in dict.fromkeys((all_[0], all_[-1])):
            for what, change in (("other", _other), ("gone", _gone), ("more", _more)):
                made = copy.deepcopy(document)
                if change(made, place):
                    yield f"{what}: {kind}", made


def _at(document: Any, place: Place) -> Any:
    for step in place:
        document = document[step]
    return document


def _other(document: Any, place: Place) -> bool:
    value = _at(document, place)
    if isinstance(value, dict | list):
        return False
    _at(document, place[:-1])[place[-1]] = not value if isinstance(value, bool) else f"{value}0"
    return True


def _gone(document: Any, place: Place) -> bool:
    if not place:
        return False
    del _at(document, place[:-1])[place[-1]]
    return True


def _more(document: Any, place: Place) -> bool:
    value = _at(document, place)
    if isinstance(value, dict):
        value["comment"] = "x"
    elif isinstance(value, list):
        value.append(copy.deepcopy(value[-1]))
    return isinstance(value, dict | list)


def test_any_field_of_both_sboms_is_told(
    world: Released, count: Callable[[str, int], None]
) -> None:
    """Names, versions, digests, addresses, creators and all that SPDX has room for."""
    world.export()
    release = replace(world.release, layout=world.local)
    clone = GitClone(release.layout.clone, MachinePrograms())
    commit = clone.resolve("v3.13.6^{commit}")
    paths = [each.with_name(f"{each.name}.spdx.json") for each in release.layout.tarballs]
    good = [json.loads(each.read_bytes()) for each in paths]

    def found() -> bool:
        return bool(
            sboms_say_nothing_else(release, clone, commit=commit)
            or sboms_are_true(release, clone, commit=commit)
            or sboms_tell_content(release)
        )

    assert not found()
    missed, kinds = [], set()
    for (kind, one), (_, other) in zip(*map(alterations, good), strict=True):
        for path, document in zip(paths, (one, other), strict=True):
            path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
        try:
            if not found():
                missed.append(kind)
        except ReleaseError:
            pass  # what cannot be read is a finding of whoever called the check
        kinds.add(kind)
    assert missed == []
    for path, document in zip(paths, good, strict=True):
        text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
        path.write_text(text.replace("{\n", '{\n "name": "evil",\n', 1))
        assert found(), "a name that stands twice"
        path.write_text(text)
    assert not found()
    count("kinds of alterations of an SBOM were told", len(kinds))
