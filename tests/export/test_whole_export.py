"""A bugfix release of the toy CPython, exported whole: what is there, and what a change redoes."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.export.exporting import git

if TYPE_CHECKING:
    from tests.export.conftest import Places
    from tests.export.exporting import Place

pytestmark = pytest.mark.slow

LOOKS = ["check_tools", "check_key", "choose_day"]
EDITS = [
    "check_base", "make_clone", "merge_news", "bump_version", "write_readme", "mark_next",
    "set_years", "set_source_uri", "read_docs_source",
]  # fmt: skip
COMMIT_AND_TAG = [
    "put_topics", "compare_configure", "check_source", "commit_release", "check_clean", "make_tag",
]  # fmt: skip
ARTIFACTS = [
    "build_tarballs", "check_archives", "test_source", "build_docs", "check_docs", "build_sboms",
    "check_sboms",
    "sign_archives", "write_checksums", "check_export",
]  # fmt: skip
ENTRY = "Misc/NEWS.d/next/Library/2026-11-20-10-00-00.gh-issue-300001.AbCdEf.rst"


def test_every_task_runs_once_in_the_order_of_the_outline(finished_place: Place) -> None:
    said = (finished_place.folder / "first-run").read_text(encoding="utf-8")
    ran = [line.split()[1] for line in said.splitlines() if line.startswith("+")]
    assert ran == [
        *LOOKS, *EDITS, "build_topics", *COMMIT_AND_TAG, *ARTIFACTS,
    ]  # fmt: skip
    assert "export: 29 tasks run, 29 of 29 done, nothing remains" in said


def test_src_and_docs_hold_what_is_published_and_nothing_else(finished_place: Place) -> None:
    folder = finished_place.work
    assert sorted(path.name for path in (folder / "src").iterdir()) == [
        "Python-3.13.6.tar.xz",
        "Python-3.13.6.tar.xz.asc",
        "Python-3.13.6.tar.xz.spdx.json",
        "Python-3.13.6.tgz",
        "Python-3.13.6.tgz.asc",
        "Python-3.13.6.tgz.spdx.json",
        "SHA256SUMS",
    ]
    docs = {path.name for path in (folder / "docs").iterdir()}
    assert docs >= {
        "python-3.13.6-docs-html.tar.bz2",
        "python-3.13.6-docs-html.zip",
        "python-3.13.6-docs-text.tar.bz2",
        "python-3.13.6-docs-text.zip",
        "python-3.13.6-docs.epub",
    }
    texinfo = {"python-3.13.6-docs-texinfo.tar.bz2", "python-3.13.6-docs-texinfo.zip"}
    with_texinfo = '"texinfo"' in finished_place.declaration.read_text(encoding="utf-8")
    assert len(docs) == (7 if with_texinfo else 5)
    assert (docs >= texinfo) is with_texinfo


def test_programs_of_a_user_find_everything_good(finished_place: Place) -> None:
    """sha256sum, gpg and git, as a stranger would run them."""
    src, clone = finished_place.work / "src", finished_place.work / "clone"
    home = finished_place.gnupg_home
    checked = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=src, capture_output=True, check=True
    )
    assert checked.stdout.count(b": OK\n") == 6
    for archive in ("Python-3.13.6.tgz", "Python-3.13.6.tar.xz"):
        judged = subprocess.run(
            ["gpg", "--homedir", home, "--verify", f"{archive}.asc", archive],
            cwd=src, capture_output=True, check=True,
        )  # fmt: skip
        assert b"Good signature" in judged.stderr
    git(clone, "tag", "-v", "v3.13.6", env={"GNUPGHOME": home})
    assert git(clone, "rev-parse", "v3.13.6^{commit}^") == git(
        finished_place.cpython, "rev-parse", "upstream/3.13"
    )
    assert git(clone, "log", "-1", "--format=%s", "v3.13.6") == "Python 3.13.6"


def test_archives_hold_the_tree_of_the_tag(finished_place: Place) -> None:
    src, clone = finished_place.work / "src", finished_place.work / "clone"
    listed = subprocess.run(
        ["tar", "-tf", src / "Python-3.13.6.tar.xz"], capture_output=True, check=True, text=True
    ).stdout.splitlines()
    shipped = {name for name in listed if not name.endswith("/")}
    tree = {
        f"Python-3.13.6/{name}"
        for name in git(clone, "ls-tree", "-r", "-z", "--name-only", "v3.13.6").split("\0")
        if name
    }
    assert shipped - tree == {"Python-3.13.6/Misc/NEWS"}
    left_out = {name.split("/", 1)[1].split("/")[0] for name in tree - shipped}
    assert left_out == {".azure-pipelines", ".gitattributes", ".github", ".gitignore", "Misc"}
    assert {name for name in tree - shipped if "/Misc/" in name} == {
        name for name in tree if "/Misc/NEWS.d/" in name or "/Misc/mypy/" in name
    }


def test_a_second_run_does_nothing_and_writes_nothing(done: Place) -> None:
    before = done.products(), sorted((done.work / "receipts").iterdir())
    ended = done.export()
    assert (ended.status, ended.done, ended.err) == (0, [], "")
    assert "export: 0 tasks run, 29 of 29 done, nothing remains" in ended.out
    assert (done.products(), sorted((done.work / "receipts").iterdir())) == before


def test_another_news_entry_redoes_what_stands_behind_it_and_no_topics(done: Place) -> None:
    """The tag was not pushed; the branch moved by an entry; the topics do not depend on it."""
    topics = (done.work / "made" / "topics.py").stat().st_mtime_ns
    tag = git(done.work / "clone", "rev-parse", "v3.13.6")
    done.commit({ENTRY: "Spam is now even better.\n"})
    assert done.standings()["build_topics"][0] == "stale"
    ended = done.export()
    assert (ended.status, ended.done) == (0, [*EDITS, *COMMIT_AND_TAG, *ARTIFACTS])
    assert (done.work / "made" / "topics.py").stat().st_mtime_ns == topics
    assert git(done.work / "clone", "rev-parse", "v3.13.6") != tag
    news = git(done.work / "clone", "show", "v3.13.6:Misc/NEWS.d/3.13.6.rst")
    assert "Spam is now even better." in news
    assert done.export().done == []


def test_a_doc_change_builds_the_topics_again(done: Place) -> None:
    page = git(done.cpython, "show", "upstream/3.13:Doc/reference/simple_stmts.rst")
    done.commit(
        {"Doc/reference/simple_stmts.rst": page.replace("assert", "ASSERT") + "\n\nMore.\n"}
    )
    ended = done.export()
    assert ended.status == 0, ended
    assert ended.done == [*EDITS, "build_topics", *COMMIT_AND_TAG, *ARTIFACTS]


def test_a_change_that_no_release_tells_of_makes_no_other_edits(done: Place) -> None:
    """A code change moves the base; each edit is made again on it, the topics are not."""
    done.commit({"Lib/spam.py": "print('more spam')\n"})
    ended = done.export()
    assert (ended.status, ended.done) == (0, [*EDITS, *COMMIT_AND_TAG, *ARTIFACTS])


def test_a_waiver_that_nothing_needs_rebuilds_nothing(done: Place) -> None:
    text = done.declaration.read_text(encoding="utf-8")
    until = datetime.now(UTC).date() + timedelta(days=7)
    waiver = f'[[waivers]]\nrule = "docs.next"\nby = "RM"\nuntil = {until}\nreason = "{{}}"\n'
    for reason in ("because", "another reason"):
        done.declaration.write_text(text + waiver.format(reason), encoding="utf-8")
        ended = done.export()
        assert (ended.status, ended.done) == (0, [])
        assert f"waived: docs.next by RM until {until}: {reason}" in done.listed()


def test_touched_files_rebuild_nothing(done: Place) -> None:
    for path in done.work.rglob("*"):
        if path.is_file() and "docs-tools" not in path.parts:
            os.utime(path, (1_000_000_000, 1_000_000_000), follow_symlinks=False)
    ended = done.export()
    assert (ended.status, ended.done) == (0, [])


def test_a_place_that_was_moved_is_still_done(done: Place) -> None:
    before = done.products()
    moved = done.folder.rename(done.folder.with_name("elsewhere"))
    there = type(done)(moved, done.version)
    assert there.export().done == []
    assert there.products() == before


def test_a_lost_clone_is_made_again_with_the_same_edits(done: Place) -> None:
    """What is signed and published stays as it is if only the time of the commit was lost."""
    tag = git(done.work / "clone", "rev-parse", "v3.13.6")
    git(done.cpython, "fetch", "-q", str(done.work / "clone"), "tag", "v3.13.6")
    (done.work / "clone").rename(done.folder / "away")
    before = done.products()
    ended = done.export()
    assert ended.status == 0, ended
    assert not {"build_topics", "build_tarballs", "build_docs", "sign_archives"} & set(ended.done)
    assert git(done.work / "clone", "rev-parse", "v3.13.6") == tag
    assert done.products() == before


def test_packed_refs_are_refs(done: Place) -> None:
    """Programs that tidy take the files of refs away, and nothing of what they tell."""
    git(done.work / "clone", "pack-refs", "--all")
    assert not (done.work / "clone/.git/refs/release/base").exists()
    ended = done.export()
    assert (ended.status, ended.done) == (0, []), ended


def test_a_lost_clone_is_made_again_from_the_tag_that_was_pushed(done: Place) -> None:
    tag = git(done.work / "clone", "rev-parse", "v3.13.6")
    git(done.work / "clone", "push", "-q", str(done.folder / "world/fork.git"), "v3.13.6")
    (done.work / "clone").rename(done.folder / "away")
    before = done.products()
    ended = done.export()
    assert ended.status == 0, ended
    assert git(done.work / "clone", "rev-parse", "v3.13.6") == tag
    assert done.products() == before


def test_an_approval_holds_and_is_void_after_a_change(done: Place) -> None:
    assert done.doit("run", "approve_commit").status == 4
    given = done.doit("approve", "--note", "read twice", "approve_commit")
    assert given.status == 0, given
    assert "RM approves approve_commit of Python 3.13.6" in given.out
    ended = done.doit("run", "approve_commit")
    assert (ended.status, ended.done) == (0, ["approve_commit"])
    assert done.standings()["approve_commit"][0] == "done"
    done.commit({ENTRY: "Spam is now even better.\n"})
    ended = done.doit("run", "approve_commit")
    assert (ended.status, ended.not_done) == (4, ["approve_commit"])
    assert done.standings()["approve_commit"][0] == "waiting"


def test_a_task_is_found_by_the_name_that_it_had_before(done: Place) -> None:
    """NEWS was approved by itself once; who types that still gets what covers it."""
    assert done.doit("run", "approve_news").waiting == ["approve_commit"]
    assert done.doit("why", "approve_news").out.startswith("approve_commit: ")
    assert done.doit("list", "approve_page").out.startswith("approve_announcement ")
    given = done.doit("approve", "approve_news", "--note", "read twice")
    assert "RM approves approve_commit of Python 3.13.6" in given.out
    assert done.doit("run", "approve_news").done == ["approve_commit"]


def test_a_world_that_does_not_answer_stops_before_anything_leaves(done: Place) -> None:
    """Every gate that cannot look is shut, in one line each, and nothing is pushed or sent."""
    ended = done.doit("run", "publish")
    assert ended.status == 1, ended
    assert "Traceback" not in ended.out
    assert {"check_access", "check_blockers", "check_builders"} <= set(ended.not_done)
    receipts = {path.stem for path in (done.work / "receipts").iterdir()}
    assert not receipts & {"push_fork", "reserve_folder", "tell_experts"}


def test_export_of_a_world_at_its_start_lists_everything_as_ahead(a_start: Places) -> None:
    place = a_start()
    states = {name: state for name, (state, _) in place.standings().items()}
    ready = ("check_access", "check_blockers", "check_builders", "check_schedule", "draft_page")
    for name in (*LOOKS, *ready, "check_base", "export", "publish"):
        assert states.pop(name) == "ready"
    assert set(states.values()) == {"later"}
