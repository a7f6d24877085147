"""What pydoc topics are made of, and how they come into the tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import StepFailed
from plugins.steps import topics
from tests.source_world import a_world

if TYPE_CHECKING:
    from pathlib import Path


def test_sources_change_with_the_docs_and_with_nothing_else(tmp_path: Path) -> None:
    """A branch that moved without touching Doc needs no new topics."""
    world = a_world(tmp_path)
    first = topics.sources_of(world.make(), after="base")
    world.commit({"Lib/spam.py": "changed = True\n"})
    assert topics.sources_of(world.make(), after="base") == first
    world.commit({"Doc/library/spam.rst": "changed\n"})
    assert topics.sources_of(world.make(), after="base") != first


def test_tree_without_documentation_says_which_settings_to_look_at(tmp_path: Path) -> None:
    world = a_world(tmp_path)
    clone = world.make()
    for file in (clone.folder / "Doc").rglob("*"):
        if file.is_file():
            file.unlink()
    clone.record("bare", clone.resolve("refs/release/base"), "Take the documentation away")
    with pytest.raises(StepFailed, match=r"no Doc folder.*\[repository\] clone and base"):
        topics.sources_of(clone, after="bare")
    # its remedy: the base that has it
    assert topics.sources_of(clone, after="base")


def test_topics_are_put_where_pydoc_looks_and_nowhere_else(tmp_path: Path) -> None:
    world = a_world(tmp_path)
    clone = world.make()
    made = world.release.layout.made
    made.mkdir(parents=True)
    (made / "topics.py").write_text("topics = {'spam': 'eggs'}\n")
    facts = topics.put(world.release, clone, after="base", step="put_topics")
    assert facts["files"] == "Lib/pydoc_data/topics.py"
    assert world.text("Lib/pydoc_data/topics.py", "put_topics") == "topics = {'spam': 'eggs'}\n"
    changed = set(clone.names(facts["commit"])) ^ set(clone.names("refs/release/base"))
    assert changed == set()
    again = topics.put(world.release, clone, after="base", step="put_topics")
    assert again == facts
