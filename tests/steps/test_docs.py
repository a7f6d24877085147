from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import subprocess
import tarfile
import time
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import SettingsError, StepFailed
from plugins.services.environment import neutral_environment
from plugins.services.programs import MachinePrograms
from plugins.steps import docs
from plugins.steps.docs import FORMATS
from plugins.steps.docs_tree import Machine
from tests.progress import Heard
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from plugins.model.docs_source import DocsSource
    from plugins.model.release import Release

    ToyDocs = Callable[..., tuple[Release, DocsSource]]

pytestmark = pytest.mark.slow

# The info file is made by makeinfo, which a small machine has not.
has_makeinfo = pytest.mark.skipif(shutil.which("makeinfo") is None, reason="no makeinfo here")
POSSIBLE = tuple(each for each in FORMATS if each != "texinfo" or shutil.which("makeinfo"))

SMALL = Machine(cores=2, memory_mb=8000)

# Extensions of the toy's conf.py that do what the test is about.
HOLDING = """
import pathlib, time
def hold(app):
    hold, held = pathlib.Path({hold!r}), pathlib.Path({held!r})
    if app.builder.name == "html":
        held.touch()
        while hold.exists():
            time.sleep(0.01)
def setup(app):
    app.connect("builder-inited", hold)
    return {{"parallel_read_safe": True}}
"""
WARNING = """
from sphinx.util import logging
def complain(app, doctree, name):
    if app.builder.name == "text" and name == "tutorial":
        logging.getLogger(__name__).warning("a broken loop", location=name)
def setup(app):
    app.connect("doctree-resolved", complain)
    return {"parallel_read_safe": True}
"""
CARDS = """
def draw(app, error):
    cards = app.outdir / "_images" / "social_previews"
    cards.mkdir(parents=True)
    (cards / "card.png").write_text("many colours")
def setup(app):
    app.connect("build-finished", draw)
    return {"parallel_read_safe": True}
"""


def with_extensions(tree: dict[str, str], **extensions: str) -> dict[str, str]:
    names = "".join(f"extensions.append({name!r})\n" for name in extensions)
    files = {f"Doc/tools/{name}.py": code for name, code in extensions.items()}
    return {**tree, "Doc/conf.py": tree["Doc/conf.py"] + names, **files}


def build(
    release: Release, source: DocsSource, *formats: str, programs: MachinePrograms | None = None
) -> dict[str, str]:
    return docs.build(release, source, formats, programs or MachinePrograms(), Heard(), SMALL)


class Reaching(MachinePrograms):
    """Programs of which those that are confined reach a folder of the test as well."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        folder.mkdir()

    def confined(
        self, *, writes: Sequence[Path] = (), reads: Sequence[Path] = (), network: bool = False
    ) -> MachinePrograms:
        return super().confined(writes=(*writes, self._folder), reads=reads, network=network)


def archives(release: Release) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(release.layout.docs.iterdir())}


@has_makeinfo
def test_archives_have_the_names_and_the_contents_that_the_makefile_gives_them(
    toy_docs: ToyDocs,
) -> None:
    release, source = toy_docs()
    facts = build(release, source, *FORMATS)
    assert sorted(archives(release)) == [
        "python-3.13.6-docs-html.tar.bz2",
        "python-3.13.6-docs-html.zip",
        "python-3.13.6-docs-texinfo.tar.bz2",
        "python-3.13.6-docs-texinfo.zip",
        "python-3.13.6-docs-text.tar.bz2",
        "python-3.13.6-docs-text.zip",
        "python-3.13.6-docs.epub",
    ]
    with zipfile.ZipFile(release.layout.docs / "python-3.13.6-docs-texinfo.zip") as archive:
        suffixes = {Path(name).suffix for name in archive.namelist()}
        assert {".texi", ".info", ".png"} <= suffixes
    assert facts["pages.text"] == "4"
    assert facts["pages.epub"] >= "4"


def test_pages_are_those_that_the_makefile_makes(toy_docs: ToyDocs) -> None:
    release, source = toy_docs(epoch_s=1_700_000_000)  # in the past: Sphinx heeds it by itself
    build(release, source, "html")
    assert source.tools is not None
    (tools,) = source.tools.glob("*/bin")
    subprocess.run(
        [
            "make", "-C", source.clone / "Doc", "build", "BUILDER=html",
            f"PYTHON={tools / 'python'}", f"SPHINXBUILD={tools / 'sphinx-build'}",
        ],
        env=neutral_environment({"SOURCE_DATE_EPOCH": "1700000000"}),
        check=True, capture_output=True,
    )  # fmt: skip
    made = source.clone / "Doc" / "build" / "html"
    top = "python-3.13.6-docs-html"
    with zipfile.ZipFile(release.layout.docs / f"{top}.zip") as archive:
        packed = {name: archive.read(name) for name in archive.namelist() if name[-1] != "/"}
    assert "Last updated on Nov 14, 2023" in packed[f"{top}/tutorial.html"].decode()
    assert packed == {
        f"{top}/{path.relative_to(made)}": path.read_bytes()
        for path in made.rglob("*")
        if path.is_file()
    }


@has_makeinfo
def test_facts_name_what_the_bytes_depend_on_and_no_path(toy_docs: ToyDocs) -> None:
    release, source = toy_docs()
    facts = build(release, source, "text", "texinfo")
    assert facts["sphinx"].startswith("8.1.")
    assert f"Sphinx=={facts['sphinx']}" in facts["requirements"].split()
    assert facts["makeinfo"]
    assert facts["epoch_s"] == str(source.epoch_s)
    assert "/" not in "".join(facts.values())


def test_same_commit_gives_the_same_bytes_in_another_folder_umask_and_time_zone(
    toy_docs: ToyDocs, monkeypatch: pytest.MonkeyPatch
) -> None:
    release, source = toy_docs("here")
    facts = build(release, source, *POSSIBLE)
    monkeypatch.setenv("TZ", "Pacific/Chatham")
    monkeypatch.setenv("LANG", "tr_TR.UTF-8")
    monkeypatch.setenv("PYTHONHASHSEED", "77")
    time.tzset()
    umask = os.umask(0o077)
    try:
        elsewhere, other = toy_docs("a folder's name with 'spaces' and $signs")
        other_facts = docs.build(
            elsewhere, other, POSSIBLE, MachinePrograms(), Heard(), Machine(1, 1000)
        )
    finally:
        os.umask(umask)
        monkeypatch.undo()
        time.tzset()
    assert archives(elsewhere) == archives(release)
    assert other_facts == facts


def test_pages_carry_the_time_of_the_tag_even_if_it_lies_ahead(toy_docs: ToyDocs) -> None:
    release, source = toy_docs()
    build(release, source, "html", "text", "epub")
    top = "python-3.13.6-docs"
    with zipfile.ZipFile(release.layout.docs / f"{top}-html.zip") as archive:
        page = archive.read(f"{top}-html/tutorial.html").decode()
        assert "Jun 02, 2040 (03:57 UTC)" in page
        assert "2001-2040, the toy" in page
        assert {info.date_time for info in archive.infolist()} == {(2040, 6, 2, 3, 57, 2)}
    with zipfile.ZipFile(release.layout.docs / f"{top}-text.zip") as archive:
        assert "Jun 02, 2040" in archive.read(f"{top}-text/tutorial.txt").decode()
    with zipfile.ZipFile(release.layout.docs / f"{top}.epub") as archive:
        assert "2040-06-02" in archive.read("content.opf").decode()


def test_members_are_sorted_and_belong_to_nobody(toy_docs: ToyDocs) -> None:
    release, source = toy_docs()
    build(release, source, "html")
    with tarfile.open(release.layout.docs / "python-3.13.6-docs-html.tar.bz2") as archive:
        members = archive.getmembers()
    names = [member.name for member in members]
    assert names == sorted(names)
    assert names[0] == "python-3.13.6-docs-html"
    assert {(m.uid, m.gid, m.uname, m.gname) for m in members} == {(0, 0, "", "")}
    assert {(m.isdir(), m.mode) for m in members} == {(True, 0o755), (False, 0o644)}
    assert {m.mtime for m in members} == {source.epoch_s}


def test_social_cards_are_left_out_of_html(toy_docs: ToyDocs, toy_tree: dict[str, str]) -> None:
    release, source = toy_docs(changed=with_extensions(toy_tree, cards=CARDS))
    build(release, source, "html")
    with zipfile.ZipFile(release.layout.docs / "python-3.13.6-docs-html.zip") as archive:
        names = archive.namelist()
    assert any(name.endswith("_images/sum.png") for name in names)
    assert not [name for name in names if "social_previews" in name]


def test_warning_of_one_format_fails_with_its_text_and_the_path_of_the_log(
    toy_docs: ToyDocs, toy_tree: dict[str, str]
) -> None:
    release, source = toy_docs(changed=with_extensions(toy_tree, warning=WARNING))
    with pytest.raises(StepFailed) as caught:
        build(release, source, "text")
    log = release.layout.log("docs-text")
    assert str(caught.value) == f"docs text: Sphinx ended with status 1; see {log}"
    assert any("a broken loop" in line for line in caught.value.details)
    assert "a broken loop" in log.read_text()
    assert not release.layout.docs.exists()


def test_mistake_in_a_page_fails_with_its_file_and_line(
    toy_docs: ToyDocs, toy_tree: dict[str, str]
) -> None:
    release, source = toy_docs(
        changed={"Doc/tutorial.rst": toy_tree["Doc/tutorial.rst"] + "\n.. nonsense::\n"}
    )
    with pytest.raises(StepFailed) as caught:
        build(release, source, "text")
    assert str(release.layout.log("docs-read")) in str(caught.value)
    assert any(line.startswith("Doc/tutorial.rst:12: ERROR") for line in caught.value.details)


def test_failing_format_ends_the_others(
    toy_docs: ToyDocs, toy_tree: dict[str, str], tmp_path: Path
) -> None:
    reaching, hold = Reaching(tmp_path / "held"), tmp_path / "held" / "hold"
    hold.touch()
    holding = HOLDING.format(hold=str(hold), held=str(tmp_path / "held" / "held"))
    changed = with_extensions(toy_tree, warning=WARNING, holding=holding)
    release, source = toy_docs(changed=changed)
    with pytest.raises(StepFailed, match="docs text"):
        build(release, source, "text", "html", programs=reaching)
    hold.unlink()


def test_missing_makeinfo_is_said_before_anything_is_built(
    toy_docs: ToyDocs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release, source = toy_docs()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StepFailed, match=r"makeinfo is not installed.*apt install texinfo"):
        build(release, source, "html", "texinfo")
    assert not release.layout.scratch.exists()


def test_format_that_there_is_none_of_is_refused(toy_docs: ToyDocs) -> None:
    release, source = toy_docs()
    with pytest.raises(SettingsError, match=r"'pdf' is not a format.*epub, html, texinfo, text"):
        build(release, source, "html", "pdf")


def test_tree_of_another_version_is_refused(toy_docs: ToyDocs) -> None:
    release, source = toy_docs(changed={"Include/patchlevel.h": '#define PY_VERSION "3.13.5+"\n'})
    with pytest.raises(StepFailed, match=r"those of version 3\.13\.5\+, not of 3\.13\.6"):
        build(release, source, "text")


def test_archives_of_formats_that_are_no_longer_wanted_go(toy_docs: ToyDocs) -> None:
    release, source = toy_docs()
    build(release, source, "text", "epub")
    build(release, source, "epub")
    assert list(archives(release)) == ["python-3.13.6-docs.epub"]
    build(release, source)
    assert archives(release) == {}


def test_build_that_was_killed_goes_on_with_what_it_had_and_ends_the_same(
    toy_docs: ToyDocs, toy_tree: dict[str, str], tmp_path: Path
) -> None:
    reaching = Reaching(tmp_path / "held")
    hold, held = tmp_path / "held" / "hold", tmp_path / "held" / "held"
    holding = HOLDING.format(hold=str(hold), held=str(held))
    changed = with_extensions(toy_tree, holding=holding)
    undisturbed, source = toy_docs("undisturbed", changed)
    build(undisturbed, source, "html", "text", programs=reaching)

    held.unlink()
    hold.touch()
    release, source = toy_docs("killed", changed)
    pid = os.fork()
    if pid == 0:
        try:
            build(release, source, "html", "text", programs=reaching)
        finally:
            os._exit(0)

    def is_held() -> bool:
        assert os.waitpid(pid, os.WNOHANG) == (0, 0)
        return held.exists() and release.layout.docs.exists()

    wait_until(is_held, "Sphinx writes the pages", within_s=600)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    read_before = release.layout.log("docs-read").stat().st_mtime_ns
    hold.unlink()

    build(release, source, "html", "text", programs=reaching)
    assert archives(release) == archives(undisturbed)
    assert release.layout.log("docs-read").stat().st_mtime_ns == read_before


def test_pages_that_somebody_touched_in_scratch_are_written_again(toy_docs: ToyDocs) -> None:
    release, source = toy_docs()
    build(release, source, "text")
    good = archives(release)
    for page in release.layout.scratch.rglob("text/tutorial.txt"):
        page.write_text("edited")
    build(release, source, "text")
    assert archives(release) == good


def test_what_another_wheel_of_the_same_version_read_does_not_count(
    toy_docs: ToyDocs, docs_tools: Path, tmp_path: Path
) -> None:
    """An index may serve other bytes by one name, and so may the day before a lock was signed."""
    release, source = toy_docs()
    build(release, source, "text")
    good = archives(release)
    others = tmp_path / "others"
    shutil.copytree(docs_tools, others, symlinks=True)
    marker = others / "pep101.json"
    marker.write_text(re.sub(r"(\.whl:)[0-9a-f]{64}", rf"\g<1>{'0' * 64}", marker.read_text()))
    heard = Heard()
    for tools in (others, docs_tools, docs_tools):
        docs.build(
            release, replace(source, tools=tools), ("text",), MachinePrograms(), heard, SMALL
        )
    assert heard.lines.count("reading the documentation's sources") == 2
    assert archives(release) == good


def test_scratch_may_go_at_any_time(toy_docs: ToyDocs) -> None:
    release, source = toy_docs()
    build(release, source, "text")
    good = archives(release)
    subprocess.run(["rm", "-rf", release.layout.scratch], check=True)
    build(release, source, "text")
    assert archives(release) == good


def test_disk_that_is_full_is_told_and_old_archives_stay(toy_docs: ToyDocs) -> None:
    release, source = toy_docs()
    build(release, source, "text")
    before = archives(release)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, limits[1]))
    try:
        with pytest.raises(StepFailed, match="File too large; see to the disk"):
            build(release, source, "text")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert archives(release) == before


def test_memory_bounds_what_is_written_side_by_side() -> None:
    assert docs._lanes(Machine(8, 24_000), FORMATS) == 4
    assert docs._lanes(Machine(8, 3_600), FORMATS) == 2
    assert docs._lanes(Machine(8, 900), FORMATS) == 1
    assert docs._lanes(Machine(1, 24_000), FORMATS) == 1
