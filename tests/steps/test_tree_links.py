"""A tree's own links turned against what we write and bind: nothing of ours is outside of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import StepFailed
from plugins.services.programs import MachinePrograms
from plugins.steps import news, topics
from plugins.steps.docs_tree import open_tree
from plugins.steps.tree_links import make_links, path_in
from tests.progress import Quiet
from tests.source_world import DAY, World, a_world, git

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from plugins.model.docs_source import DocsSource
    from plugins.model.release import Release

# By its text the second stays inside; the first is the top, so it leads out by two folders.
CHAIN = (("a/b/c/d/e", "../../../.."), ("out", "a/b/c/d/e/../../outside"))


def test_links_that_stay_in_the_tree_are_made(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "a").mkdir(parents=True)
    links = (("a/top", ".."), ("b", "a/top/a"), ("loop", "loop"), ("none", "is/not/there"))
    make_links(tree, links)
    assert [(tree / name).readlink().as_posix() for name, _ in links] == [to for _, to in links]


@pytest.mark.parametrize("order", [CHAIN, CHAIN[::-1]], ids=["in order", "reversed"])
@pytest.mark.parametrize(
    "more", [(), (("out", "/etc"),), (("out", ".."),)], ids=["chain", "absolute", "plain"]
)
def test_a_link_that_leads_out_is_refused(
    tmp_path: Path, order: tuple[tuple[str, str], ...], more: tuple[tuple[str, str], ...]
) -> None:
    tree = tmp_path / "within" / "tree"
    (tree / "a/b/c/d").mkdir(parents=True)
    with pytest.raises(StepFailed, match="out: is a link that points outside of the tree, to"):
        make_links(tree, more or order)


def test_nothing_is_below_a_link(tmp_path: Path) -> None:
    (tmp_path / "tree" / "real").mkdir(parents=True)
    (tmp_path / "tree" / "linked").symlink_to("real")
    assert path_in(tmp_path / "tree", "real/new/file") == tmp_path / "tree/real/new/file"
    assert path_in(tmp_path / "tree", "linked") == tmp_path / "tree/linked"  # it is replaced
    with pytest.raises(StepFailed, match=r"linked: is a link .* wanted is a folder"):
        path_in(tmp_path / "tree", "linked/file")


def test_documentation_of_a_tree_with_such_a_chain_is_not_built(
    toy_docs: Callable[..., tuple[Release, DocsSource]],
    commit_toy: Callable[..., DocsSource],
) -> None:
    """Doc would be a folder of the release manager, which the tree's Makefile may write to."""
    release, source = toy_docs()
    (source.clone / "a/b/c/d").mkdir(parents=True)
    for name, target in CHAIN:
        (source.clone / name).symlink_to(target)
    with pytest.raises(StepFailed, match="out: is a link that points outside of the tree"):
        open_tree(release, commit_toy(source, {}), MachinePrograms(), Quiet(), cores=1)


def with_link(tmp_path: Path, name: str) -> tuple[World, Path]:
    """A world whose base has a link to a folder outside in place of a folder of its own."""
    world, outside = a_world(tmp_path / "world"), tmp_path / "outside"
    outside.mkdir()
    world.commit({"spam": "eggs\n"})
    work = world.folder / "colleague"
    git(work, "rm", "-rq", "--ignore-unmatch", name)
    (work / name).parent.mkdir(parents=True, exist_ok=True)
    (work / name).symlink_to(outside)
    world.commit({"spam": "spam\n"}, "Put a link there")
    return world, outside


def test_topics_are_not_written_through_a_link(tmp_path: Path) -> None:
    world, outside = with_link(tmp_path, "Lib/pydoc_data")
    made = world.release.layout.made
    made.mkdir(parents=True)
    (made / "topics.py").write_text("topics = {}\n")
    with pytest.raises(StepFailed, match="Lib/pydoc_data: is a link"):
        topics.put(world.release, world.make(), after="base", step="put_topics")
    assert not list(outside.iterdir())


@pytest.mark.parametrize("name", ["Misc", "Misc/NEWS.d"])
def test_news_is_not_merged_through_a_link(tmp_path: Path, name: str) -> None:
    """Blurb may write to that folder, wherever it is."""
    world, outside = with_link(tmp_path, name)
    with pytest.raises(StepFailed, match=f"{name}: is a link"):
        news.merge(world.release, world.make(), world.programs, date=DAY)
    assert not list(outside.iterdir())
