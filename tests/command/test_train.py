"""Tests of doit train: one command for each release of a day."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.command.test_release_option import RELEASE, PythonProject
from tests.doit_section import DOIT_SECTION
from tests.engine.conftest import CHAIN
from tests.engine.test_acting import MAILED
from tests.engine.test_approve import APPROVAL

if TYPE_CHECKING:
    from pathlib import Path

    from plugins.rehearsal.gnupg_home import GnupgHome


@pytest.fixture
def project(tmp_path: Path) -> PythonProject:
    """Two releases of a train, of three invented steps each."""
    (tmp_path / "pyproject.toml").write_text(DOIT_SECTION)
    made = PythonProject(tmp_path)
    made.write("input", "hello")
    made.declare(CHAIN)
    for version in ("3.13.6", "3.12.5"):
        text = f'train = "train.toml"\n{RELEASE.replace("3.13.6", version)}'
        made.write(f"{version}.toml", text)
    made.write("train.toml", 'releases = ["3.13.6.toml", "3.12.5.toml"]\n')
    return made


def test_command_is_done_for_each_release_in_order(project: PythonProject) -> None:
    ended = project.doit("train", "list", "--status")
    assert ended.status == 0, ended
    titles = [line for line in ended.out.splitlines() if line.startswith("Python 3.1")]
    assert [line.split()[1] for line in titles] == ["3.13.6", "3.12.5"]
    assert ended.out.count("3 of 3 tasks remain") == 2


def test_documents_of_all_releases_are_one_document(project: PythonProject) -> None:
    for words in (
        ("list", "--status", "--json"), ("plan", "--json"), ("next", "--json"),
        ("why", "copy_a", "--json"), ("list", "--js"), ("next", "--j"),
    ):  # fmt: skip
        ended = project.doit("train", *words)
        assert ended.status == 0, ended
        assert [each["version"] for each in json.loads(ended.out)] == ["3.13.6", "3.12.5"]
    ended = project.doit("train", "why", "copy_x", "--json")
    assert (ended.status, ended.out) == (3, "[]\n"), ended
    assert ended.said.count("ERROR: 'copy_x' is not a task of this release; did you mean") == 2


def test_word_that_is_no_command_is_a_task_to_run(project: PythonProject) -> None:
    ended = project.doit("train", "export")
    assert ended.status == 0, ended
    for version in ("3.13.6", "3.12.5"):
        assert (project.folder / "build" / version / "receipts" / "copy_a.json").exists()
    assert project.doit("train", "list", "--status").out.count("next: nothing") == 2


def test_release_that_does_not_know_its_train_is_refused(project: PythonProject) -> None:
    project.write("3.12.5.toml", RELEASE.replace("3.13.6", "3.12.5"))
    ended = project.doit("train", "export")
    assert ended.status == 3
    assert "3.12.5.toml: does not name train.toml, and would be released alone" in ended.said
    assert not (project.folder / "build").exists()


@pytest.mark.parametrize("words", [("run", "export"), ("check",), ("next",), ("why", "copy_a")])
def test_what_is_told_of_each_release_is_told_under_its_name(
    project: PythonProject, words: tuple[str, ...]
) -> None:
    """Else nobody knows in which of them a task failed."""
    (project.folder / "input").unlink()
    said = project.doit("train", *words).out
    before, *told = re.split(r"(?m)^(3\.1\d\.\d\.toml):\n", said)
    assert (before, told[::2]) == ("", ["3.13.6.toml", "3.12.5.toml"]), said
    assert all(told[1::2]), said


def test_mistake_in_a_release_file_names_it_as_the_train_does(project: PythonProject) -> None:
    text = ""
    for version in ("3.13.6", "3.12.5"):
        text = (project.folder / f"{version}.toml").read_text()
        text = text.replace("train.toml", "../train.toml")
        (project.folder / version).mkdir()
        (project.folder / version / "release.toml").write_text(text)
    project.write("train.toml", 'releases = ["3.13.6/release.toml", "3.12.5/release.toml"]\n')
    project.write("3.12.5/release.toml", f"{text}[nothing]\n")
    ended = project.doit("train", "next")
    assert ended.status == 3
    assert "3.12.5/release.toml: [nothing] is not a section" in ended.said


def test_words_that_name_no_command_or_a_release_are_refused(project: PythonProject) -> None:
    assert "doit train wants a command" in project.doit("train").said
    ended = project.doit("train", "list", "--release=3.13.6.toml")
    assert "leave --release out" in ended.said
    for words in (("--wait",), ("--wait", "--wait-hours=1"), ("--wait-hours", "1")):
        ended = project.doit("train", "export", *words)
        assert (ended.status, "leave --wait out" in ended.said) == (3, True), ended
        assert not (project.folder / "build").exists()
    ended = project.doit("train", "forget", "copy_a")
    assert (ended.status, "does not do forget: run doit forget" in ended.said) == (3, True), ended
    for words in (("--output=a.html",), ("--output", "a.html"), ("-oa.html",), ("-o", "a.html")):
        ended = project.doit("train", "report", *words)
        assert (ended.status, "leave --output out" in ended.said) == (3, True), ended
        assert not (project.folder / "a.html").exists()
    ended = project.doit("train", "--train", "other.toml", "list")
    assert ended.status == 3
    assert "there is no such file" in ended.said


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (("report", "--follow"), "report --follow"),
        (("report", "--markdown", "--foll"), "report --follow"),
        (("graph", "--svg"), "graph --svg"),
        (("graph", "export", "--sv"), "graph --svg"),
    ],
)
def test_what_can_only_be_done_for_one_release_is_refused_with_the_command_for_it(
    project: PythonProject, words: tuple[str, ...], command: str
) -> None:
    ended = project.doit("train", *words)
    assert (ended.status, ended.out) == (3, ""), ended
    (line,) = ended.err.splitlines()
    assert line.endswith(f": run doit {command} --release FILE for each of them")
    assert not (project.folder / "build").exists()
    assert project.doit("train", "graph").out.count("digraph release {") == 2


def test_approval_is_given_for_all_releases_or_for_none(
    project: PythonProject, keyring: GnupgHome, tmp_path: Path
) -> None:
    key = keyring.key(tmp_path.name)
    signing = f'gpg_key = "{key}"\ngnupg_home = "{keyring.folder}"\n'
    project.declare(APPROVAL.replace('"input"', 'f"input-{release.version}"'))
    for version in ("3.13.6", "3.12.5"):
        project.write(f"input-{version}", "hello")
        text = project.folder.joinpath(f"{version}.toml").read_text()
        project.write(f"{version}.toml", text.partition("gpg_key")[0] + signing)
    approvals = [
        project.folder / "build" / version / "approvals" / "approve_a.json"
        for version in ("3.13.6", "3.12.5")
    ]
    assert project.doit("export", "--release=3.13.6.toml").status == 4
    early = project.doit("train", "approve", "approve_a")
    assert early.status == 1, early
    assert "copy_a not done, so there is nothing to approve yet" in early.out
    assert "3.12.5.toml" in early.out
    assert "nothing was approved" in early.out
    assert [each.exists() for each in approvals] == [False, False]
    assert project.doit("train", "export").status == 4
    project.write("input-3.12.5", "other bytes")
    assert project.doit("copy_a", "--release=3.12.5.toml").status == 0
    unseen = project.doit("train", "approve", "approve_a")
    assert unseen.status == 1, unseen
    assert "3.12.5.toml: approve_a: is about " in unseen.out
    assert "nothing was approved" in unseen.out
    assert [each.exists() for each in approvals] == [False, False]
    (command,) = re.findall(r"doit (approve approve_a [0-9a-f]{16} --release \S+)", unseen.out)
    digest = command.split()[2]
    for words in ((digest,), (digest, "--note", "read"), ("--note=read", digest)):
        refused = project.doit("train", "approve", "approve_a", *words)
        assert refused.status == 1, refused
        assert f"now, and {digest} was looked at; nothing was approved" in refused.out
    assert [each.exists() for each in approvals] == [False, False]
    assert project.doit(*command.split()).status == 0  # what it shows is what helps
    assert [each.exists() for each in approvals] == [False, True]
    assert project.doit("train", "export").status == 4
    given = project.doit("train", "approve", "approve_a", "--note", "0123456789abcdef")
    assert given.status == 0, given
    assert [each.exists() for each in approvals] == [True, True]
    assert project.doit("train", "export").status == 0


def signing(project: PythonProject, key: str, keyring: GnupgHome) -> list[Path]:
    """Both releases wait for an approval by this key; gives where it will be."""
    project.declare(APPROVAL.replace('"input"', 'f"input-{release.version}"'))
    for version in ("3.13.6", "3.12.5"):
        project.write(f"input-{version}", "hello")
        text = project.folder.joinpath(f"{version}.toml").read_text().partition("gpg_key")[0]
        signs = f'gpg_key = "{key}"\ngnupg_home = "{keyring.folder}"\n'
        project.write(f"{version}.toml", text + signs)
    return [
        project.folder / "build" / version / "approvals" / "approve_a.json"
        for version in ("3.13.6", "3.12.5")
    ]


def test_what_was_made_again_is_approved_for_all_releases_by_one_digest(
    project: PythonProject, keyring: GnupgHome, tmp_path: Path
) -> None:
    """Both were asked for something else before: the announcement was edited, and shown again."""
    approvals = signing(project, keyring.key(tmp_path.name), keyring)

    def shown(said: str) -> list[str]:
        found = re.findall(r"doit train (approve approve_a [0-9a-f]{16})$", said, re.MULTILINE)
        assert len(found) == 1, said
        return ["train", *found[0].split()]

    before = shown(project.doit("train", "export").out)
    assert shown(project.doit("train", "next").out) == before
    assert shown(project.doit("train", "list", "--status").out) == before
    project.write("input-3.12.5", "edited")
    asked = project.doit("train", "export")
    assert asked.status == 4, asked
    now = shown(asked.out)
    assert now != before
    plain = project.doit("train", "approve", "approve_a")
    assert (plain.status, shown(plain.out)) == (1, now), plain
    old = project.doit(*before)
    assert (old.status, shown(old.out)) == (1, now), old
    assert [each.exists() for each in approvals] == [False, False]
    assert project.doit(*now, "--trial").status == 0
    assert [each.exists() for each in approvals] == [False, False]
    given = project.doit(*now[:2], "--note", now[3], *now[2:])
    assert given.status == 0, given
    assert [each.exists() for each in approvals] == [True, True]
    assert json.loads(approvals[1].read_text())["note"] == now[3]
    done = project.doit("train", "export")
    assert (done.status, "train approve" in done.out) == (0, False), done


def test_command_for_all_releases_names_the_train_where_that_is_needed(
    project: PythonProject, keyring: GnupgHome, tmp_path: Path
) -> None:
    signing(project, keyring.key(tmp_path.name), keyring)
    for version in ("3.13.6", "3.12.5"):
        text = project.folder.joinpath(f"{version}.toml").read_text()
        project.write(f"{version}.toml", text.replace("train.toml", "the day.toml"))
    project.folder.joinpath("train.toml").rename(project.folder / "the day.toml")
    asked = project.doit("train", "--train", "the day.toml", "export")
    assert re.search(r"\bdoit train --train 'the day.toml' approve approve_a \w{16}\n", asked.out)


def test_alarm_is_told_beside_what_is_to_be_approved_for_all_releases(
    project: PythonProject, keyring: GnupgHome, tmp_path: Path
) -> None:
    signing(project, keyring.key(tmp_path.name), keyring)
    loud = "\ndef loud():\n    return 'the rules are lifted'\nplan.alarm(call(loud))\n"
    project.declare(project.folder.joinpath("dodo.py").read_text() + loud)
    assert project.doit("train", "export").status == 4
    for words in (("next",), ("list", "--status"), ("list", "--stat"), ("list", "-s")):
        asked = project.doit("train", *words)
        assert (asked.status, "!!! the rules are lifted" in asked.err) == (0, True), asked
        told = r"for all releases: doit train approve approve_a \w{16}\n"
        assert re.search(told, asked.out), asked
    given = project.doit("train", "approve", "approve_a")
    assert given.status == 0, given


def test_key_that_cannot_sign_for_one_release_signs_for_none_after_it(
    project: PythonProject, keyring: GnupgHome, tmp_path: Path
) -> None:
    key = keyring.key(tmp_path.name)
    project.declare(APPROVAL)
    for version, each in (("3.13.6", "0" * 40), ("3.12.5", key)):
        text = project.folder.joinpath(f"{version}.toml").read_text().partition("gpg_key")[0]
        signing = f'gpg_key = "{each}"\ngnupg_home = "{keyring.folder}"\n'
        project.write(f"{version}.toml", text + signing)
    assert project.doit("train", "export").status == 4
    ended = project.doit("train", "approve", "approve_a")
    assert ended.status == 1, ended
    assert "3.13.6.toml is not approved, nor is any release after it" in ended.out
    assert not list(project.folder.glob("build/*/approvals/*.json"))


def test_word_about_an_act_is_for_the_releases_where_it_is_open(project: PythonProject) -> None:
    """The first release alone sends the mail, as it announces for all of them."""
    text = MAILED.replace("=never_seen)", '=never_seen, only=str(release.version) == "3.13.6")')
    project.declare(f"from doit_receipts.task import Effect\n{text}")
    early = project.doit("train", "adopt", "put_thing")
    assert early.status == 1, early
    assert "3.13.6.toml: put_thing: there is nothing to decide about it" in early.said
    assert "3.12.5.toml: ERROR: 'put_thing' is not a task of this release" in early.said
    project.write("mood", "die")
    assert project.doit("train", "export").status == 2  # it died in the act
    noted = project.doit("train", "adopt", "put_thing")
    assert noted.status == 0, noted
    assert "noted: the next run adopts it as it is" in noted.out
    assert "3.12.5.toml: ERROR: 'put_thing' is not a task of this release" in noted.said
    ended = project.doit("train", "export")
    assert ended.status == 0, ended
    assert project.folder.joinpath("world").read_text() == "mail"
    assert project.doit("train", "retry", "put_thin").status == 3


def test_word_that_one_release_cannot_take_is_a_failure(project: PythonProject) -> None:
    """Where there is nothing to decide is no failure; a broken receipt is one."""
    project.declare(f"from doit_receipts.task import Effect\n{MAILED}")
    project.write("mood", "die")
    assert project.doit("train", "export").status == 2  # both died in the act
    receipt = project.folder / "build" / "3.12.5" / "receipts" / "put_thing.json"
    receipt.write_text("{")
    ended = project.doit("train", "adopt", "put_thing")
    assert "noted: the next run adopts it as it is" in ended.out
    assert "3.12.5.toml: receipts/put_thing.json: not a receipt" in ended.said
    assert ended.status == 1, ended
    receipt.unlink()
    assert project.doit("train", "adopt", "put_thing").status == 0
