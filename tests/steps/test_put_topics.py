"""What pydoc topics are made of, and how they come into the tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
