"""Remedies of the source tree and of the RM's clone, each done as it says, and judged again."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest

from checks import base as base_checks
from checks import clone_state, file_names, source_tree, tag_tree
from checks import news as news_checks
from checks.magic_number import IMPORTER, LAUNCHER, TEST, magic_numbers_agree
from plugins.services.git_history import GitHistory
from plugins.services.git_remote import GitRemote
from plugins.steps import news, release_clone, version_files
from tests.source_world import DAY, World, a_release, a_world, git

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from doit_receipts.finding import Finding

_ENTRY: Final = "Misc/NEWS.d/next/Library/2026-11-01-10-00-00.gh-issue-300001.AbCdEf.rst"
_ODD: Final = "Lib/test/aux.py"


def make(world: World) -> World:
    """The release clone is made again from the branch, with every edit."""
    clone = world.make()
    news.merge(world.release, clone, world.programs, date=DAY)
    version_files.bump(world.release, clone, after="news")
    version_files.readme(world.release, clone, after="bump")
    version_files.mark_next(world.release, clone, after="readme")
    return world


def judged(world: World, after: str = "mark_next") -> dict[str, Finding]:
    """What `check_source` finds, the first of each rule."""
    tree = (world.release, world.clone)
    found = [
        *magic_numbers_agree(*tree, base=world.base, after=after),
        *source_tree.versions_agree(*tree, after=after),
        *source_tree.next_markers_are_gone(*tree, after=after),
        *file_names.names_fit_everywhere(*tree, after=after),
        *tag_tree.attributes_change_nothing(*tree, after=after),
        *source_tree.only_release_files_changed(*tree, after=after),
        *source_tree.autoconf_is_the_agreed_one(*tree, after=after),
        *source_tree.notices_are_current(*tree, date=DAY, after=after),
        *news_checks.news_tells_something(*tree, after=after),
        *news_checks.news_says_what_was_written(*tree, after=after),
    ]
    return {each.rule: each for each in reversed(found)}


@dataclass(frozen=True)
class Wrong:
    """A file of the branch that is wrong, and what its finding says to do on the branch."""

    rule: str
    name: str
    old: str
    new: str
    remedy: str


WRONGS: Final = (
    Wrong("source.version", "configure.ac", "[3.13]", "[3.14]", "correct it on the branch"),
    Wrong(
        "source.autoconf", "configure", "Autoconf 2.71", "Autoconf 2.72",
        "make it again on the branch with autoconf 2.71",
    ),
    Wrong("source.magic", LAUNCHER, "3599", "3560", "correct the ranges there on the branch"),
    Wrong("source.copyright", "LICENSE", "2001-2026", "2001-2024", "correct it on the branch"),
)  # fmt: skip


def test_what_is_to_be_changed_on_the_branch_helps_there(tmp_path: Path) -> None:
    world = a_world(tmp_path)
    texts = {each.name: (world.cpython / each.name).read_text() for each in WRONGS}
    assert all(each.old in texts[each.name] for each in WRONGS)
    world.commit({each.name: texts[each.name].replace(each.old, each.new) for each in WRONGS})
    table = "A table:\n\n====  ====\nspam  eggs\n====  ====\n"
    attributes = "*.png binary\nDoc/** export-ignore\n"
    world.commit({_ODD: "x\n", _ENTRY: table, "Doc/.gitattributes": attributes})
    found = judged(make(world))
    assert found.keys() == {
        *(each.rule for each in WRONGS), "source.file_name", "source.attributes", "news.garbled",
    }  # fmt: skip
    for each in WRONGS:
        assert each.remedy in found[each.rule].remedy
        assert found[each.rule].where == each.name
    assert "git mv" in found["source.file_name"].remedy
    assert "take it out on the branch" in found["source.attributes"].remedy
    assert "write it in paragraphs of prose on the branch" in found["news.garbled"].remedy
    line = int(found["source.attributes"].where.rpartition(":")[2])
    kept = [text for at, text in enumerate(attributes.splitlines(), 1) if at != line]
    git(world.folder / "colleague", "mv", found["source.file_name"].where, "Lib/test/auxiliary.py")
    world.commit({"Doc/.gitattributes": "\n".join(kept), _ENTRY: "Spam is served with eggs.\n"})
    world.commit(texts)
    assert judged(make(world)) == {}


def test_number_that_moved_is_set_back(tmp_path: Path) -> None:
    world = a_world(tmp_path)
    texts = {name: (world.cpython / name).read_text() for name in (IMPORTER, TEST)}
    world.commit({name: text.replace("3571", "3572") for name, text in texts.items()})
    finding = judged(make(world))["source.magic"]
    found = re.search(r"write (\d+) there again on the branch", finding.remedy)
    assert found, finding.remedy
    world.commit({name: (texts[name].replace("3571", found[1])) for name in texts})
    assert judged(make(world)) == {}


def test_release_whose_entries_were_not_merged_gets_them(tmp_path: Path) -> None:
    world = a_world(tmp_path)
    entries = sorted((world.cpython / "Misc/NEWS.d/next").rglob("*.rst"))
    names = [str(each.relative_to(world.cpython)) for each in entries]
    world.commit(dict.fromkeys((name for name in names if "README" not in name), None))
    finding = judged(make(world))["news.empty"]
    assert "merge the entries that are missing into the branch" in finding.remedy
    world.commit({_ENTRY: "Spam is served with eggs.\n"})
    assert judged(make(world)) == {}


@pytest.mark.parametrize(
    ("rule", "name", "content"),
    [
        ("docs.next", "Doc/library/eggs.rst", "Eggs\n\n.. versionadded:: next\n"),
        ("source.unexpected", "Lib/spam.py", "slipped in\n"),
    ],
)
def test_edit_of_somebody_is_gone_with_the_release_clone(
    tmp_path: Path, rule: str, name: str, content: str
) -> None:
    world = make(a_world(tmp_path))
    clone = world.clone
    (clone.folder / name).write_text(content)
    clone.record("mark_next", clone.resolve("refs/release/mark_next"), "Slip it in")
    finding = judged(world)[rule]
    assert f"delete {clone.folder}" in finding.remedy
    shutil.rmtree(clone.folder)
    assert judged(make(world)) == {}


def test_clone_that_lacks_what_a_step_left_is_made_again(tmp_path: Path) -> None:
    world = make(a_world(tmp_path))
    git(world.clone.folder, "update-ref", "-d", "refs/release/mark_next")
    (finding,) = source_tree.versions_agree(world.release, world.clone, after="mark_next")
    assert (finding.rule, finding.remedy) == (
        "source.unreadable",
        "delete the release clone and run the same command again: it is made anew",
    )
    shutil.rmtree(world.clone.folder)
    assert judged(make(world)) == {}


def run(remedy: str, *starts: str) -> None:
    """The commands of a remedy that begin so are run, as a shell would."""
    for start in starts:
        found = re.search(rf"({re.escape(start)}.*?)(?=, then |; |$)", remedy)
        assert found, remedy
        subprocess.run(shlex.split(found[1]), cwd="/", check=True, capture_output=True)


@pytest.mark.parametrize("elsewhere", [False, True])
def test_work_in_the_release_clone_is_undone_by_what_is_told(
    tmp_path: Path, *, elsewhere: bool
) -> None:
    """Run again as it is, the gate would find the same for ever: no step is stale."""
    world = make(a_world(tmp_path))
    clone = world.clone
    for name in ("README.rst", "stray.txt", "Doc/build/x"):
        file = clone.folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("new\n")
    if elsewhere:
        git(clone.folder, "checkout", "-q", "--force", "--detach", "refs/release/base")
    found = source_tree.tree_is_clean(world.release, clone, after="mark_next")
    assert {each.rule for each in found} == {"source.dirty"}
    at = f"git -C {clone.folder}"
    run(found[0].remedy, f"{at} checkout", f"{at} clean")
    assert source_tree.tree_is_clean(world.release, clone, after="mark_next") == ()


# ── the RM's clone ─────────────────────────────────────────────────────────────────────────


def test_base_of_another_branch_is_corrected_by_the_setting_that_is_named(tmp_path: Path) -> None:
    world = replace(a_world(tmp_path), wanted="main")
    (finding,) = clone_state.base_leads_to_version(world.release, world.base)
    assert (finding.rule, finding.remedy) == (
        "clone.branch", "release from another branch: [repository] base",
    )  # fmt: skip
    world = replace(world, wanted="3.13")
    assert clone_state.base_leads_to_version(world.release, world.base) == ()


def test_folder_of_the_clone_is_corrected_by_the_setting_that_is_named(tmp_path: Path) -> None:
    world = a_world(tmp_path)
    wrong = World(tmp_path / "nowhere", world.release)
    (finding,) = clone_state.base_leads_to_version(world.release, wrong.base)
    assert (finding.rule, finding.where) == ("clone.unreadable", "[repository] clone")
    assert finding.remedy == "set it to the folder of your clone of CPython"
    assert clone_state.base_leads_to_version(world.release, world.base) == ()


def test_version_that_does_not_come_next_is_written_as_told(tmp_path: Path) -> None:
    world = a_world(tmp_path)
    skipped = a_release(tmp_path / "build", "3.13.8")
    (finding,) = clone_state.version_is_next(skipped, world.base)
    found = re.search(r'write version = "([^"]+)"', finding.remedy)
    assert (finding.rule, bool(found)) == ("version.not_next", True), finding.remedy
    assert found is not None
    right = a_release(tmp_path / "build", found[1])
    assert clone_state.version_is_next(right, world.base) == ()


@pytest.mark.parametrize("lost", [("v3.13.5",), ("v3.13.4", "v3.13.5")])
def test_tags_that_the_clone_lacks_are_fetched_by_what_is_told(
    tmp_path: Path, lost: tuple[str, ...]
) -> None:
    world = a_world(tmp_path)
    git(world.cpython, "tag", "-d", *lost)
    (finding,) = clone_state.version_is_next(world.release, world.base)
    assert finding.rule == "version.not_next"
    run(finding.remedy, f"git -C {world.cpython} fetch")
    assert clone_state.version_is_next(world.release, world.base) == ()


def _behind(world: World) -> None:
    """Upstream went on, and the RM did not fetch it."""
    world.clock.time += timedelta(days=6)
    before = git(world.cpython, "rev-parse", "upstream/3.13")
    world.commit({"Lib/spam.py": "spam = 1\n"})
    git(world.cpython, "update-ref", "refs/remotes/upstream/3.13", before)


def test_base_that_is_old_is_fetched_by_what_is_told(tmp_path: Path) -> None:
    world = a_world(tmp_path)
    _behind(world)
    (finding,) = clone_state.base_is_recent(world.release, world.base, world.clock, stale_days=14)
    assert finding.rule == "clone.stale"
    run(finding.remedy, f"git -C {world.cpython} fetch")
    assert clone_state.base_is_recent(world.release, world.base, world.clock, stale_days=14) == ()


def test_base_of_the_future_passes_once_the_clock_is_right(tmp_path: Path) -> None:
    world = a_world(tmp_path)
    right, world.clock.time = world.clock.time, world.clock.time - timedelta(days=100)
    (finding,) = clone_state.base_is_recent(world.release, world.base, world.clock)
    assert finding.rule == "clone.future"
    assert "set this machine's clock right" in finding.remedy
    world.clock.time = right
    found = clone_state.base_is_recent(world.release, world.base, world.clock, stale_days=99)
    assert found == ()


def _only_here(world: World) -> str:
    git(world.cpython, "checkout", "-q", "-B", "mine", "upstream/3.13")
    (world.cpython / "Lib/mine.py").write_text("mine = 1\n")
    git(world.cpython, "add", "Lib/mine.py")
    git(world.cpython, "commit", "-q", "-m", "Mine")
    return git(world.cpython, "rev-parse", "HEAD")


def _merged(world: World) -> World:
    git(world.cpython, "push", "-q", str(world.folder / "upstream.git"), "mine:3.13")
    git(world.cpython, "fetch", "-q", "upstream")
    return world


@pytest.mark.parametrize(
    ("words", "mend"),
    [
        ("have them merged upstream", _merged),
        ("release from another [repository] base", lambda world: replace(world, wanted="")),
    ],
)
def test_commits_that_upstream_lacks_are_merged_or_left_out(
    tmp_path: Path, words: str, mend: Callable[[World], World]
) -> None:
    world = a_world(tmp_path)
    world = replace(world, wanted=_only_here(world))

    def found(world: World) -> list[Finding]:
        upstream = GitRemote(str(world.folder / "upstream.git"), world.programs)
        history = GitHistory(tmp_path / "room", upstream, world.cpython, world.programs)
        looked = base_checks.base_is_upstreams_head(
            world.release, world.base, history, world.wanted
        )
        return [each for each in looked if each.rule == "base.only_here"]

    (finding,) = found(world)
    assert words in finding.remedy
    assert found(mend(world)) == []


def test_commit_is_made_of_the_clean_clone(tmp_path: Path) -> None:
    """The commands of source.dirty leave a clone that the steps behind it can use."""
    world = make(a_world(tmp_path))
    made = release_clone.commit(
        world.release, world.clone, world.base, world.clock, after="mark_next"
    )
    (world.clone.folder / "stray.txt").write_text("new\n")
    (finding,) = source_tree.tree_is_clean(world.release, world.clone, after="commit")
    at = f"git -C {world.clone.folder}"
    run(finding.remedy, f"{at} checkout", f"{at} clean")
    assert world.clone.resolve("HEAD") == made["commit"]
