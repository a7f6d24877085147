"""Tests of files in other repositories that name an ended series."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import StepFailed
from doit_receipts.probe import RemoteState
from plugins.model.release import ReleaseType
from plugins.steps import ended_places
from tests.progress import Quiet
from tests.schedule_world import Repository

if TYPE_CHECKING:
    from tests.conftest import Builds

BUILDERS = """\
def generate_branches():
    yield _maintenance_branch(3, 13)
    yield _maintenance_branch(3, 12)
    yield _maintenance_branch(3, 1)
"""
TABS = """\
   .. tab:: Brew

      .. tab:: Python 3.13+

         For Python 3.13 and newer::

            $ ./configure

      .. tab:: Python 3.{}

         For Python 3.12{}::

            $ ./configure --old

         (A word about 3.12 and others.)

   .. tab:: Port

      Text of another manager.
"""


def test_builders_of_the_branch_are_one_line_less() -> None:
    found = ended_places.without_builders(BUILDERS, "3.12")
    assert found == BUILDERS.replace("    yield _maintenance_branch(3, 12)\n", "")
    assert ended_places.without_builders(found, "3.12") == found
    said = BUILDERS.replace("(3, 12)", "(3, 12)  # until the end of October")
    assert ended_places.without_builders(said, "3.12") == found


def test_tab_of_the_series_goes_and_nothing_else() -> None:
    text = TABS.format("12", "")
    found = ended_places.without_tab(text, "3.12")
    head, _, rest = text.partition("      .. tab:: Python 3.12\n")
    assert found == head + "   .. tab:: Port" + rest.partition("   .. tab:: Port")[2]
    assert ended_places.without_tab(found, "3.12") == found
    assert ended_places.without_tab(text, "3.11") == text


def test_tab_of_two_series_is_that_of_the_later_one() -> None:
    found = ended_places.without_tab(TABS.format("12-3.13", " and 3.13"), "3.12")
    assert "      .. tab:: Python 3.13\n\n         For Python 3.13::\n" in found
    assert ".. tab:: Port\n\n      Text of another manager.\n" in found


def test_tab_of_many_series_begins_with_the_next() -> None:
    found = ended_places.without_tab(TABS.format("12-3.15", " and later"), "3.12")
    assert "      .. tab:: Python 3.13-3.15\n" in found


def test_each_repository_gets_one_pull_request(a_release: Builds) -> None:
    release = replace(a_release("3.12.0"), type=ReleaseType.END_OF_LIFE)
    path = ended_places.BRANCHES
    repository = Repository({path: BUILDERS})
    assert ended_places.look_forgotten(release, repository, path).state is RemoteState.ABSENT
    ended_places.propose(release, repository, path, Quiet())
    assert ended_places.look_forgotten(release, repository, path).state is RemoteState.IDENTICAL
    assert repository.titles == ["Remove 3.12, which has reached its end of life"]


def test_what_names_the_series_no_more_gets_none(a_release: Builds) -> None:
    release = replace(a_release("3.12.0"), type=ReleaseType.END_OF_LIFE)
    repository = Repository({ended_places.BRANCHES: BUILDERS.replace("3, 12", "3, 11")})
    found = ended_places.look_forgotten(release, repository, ended_places.BRANCHES)
    assert found.state is RemoteState.IDENTICAL
    assert ended_places.propose(release, repository, ended_places.BRANCHES, Quiet())["url"]
    assert repository.titles == []


def test_what_else_the_guide_says_of_the_series_is_listed_and_told(a_release: Builds) -> None:
    release = replace(a_release("3.12.0"), type=ReleaseType.END_OF_LIFE)
    path = ended_places.BUILDING
    repository = Repository(
        {
            path: TABS.format("12", ""),
            "index.rst": "Python 3.12\nand 3.12.4 and ``3.12+``\nnot 3.120, 13.12 or 1.3.12\n",
            "README.md": "3.13 only\n",
            "include/release-cycle.json": '{"3.12": {}}\n',
            "docs/old.md": "```\npython3.12 -m venv\n",
        }
    )
    found = ended_places.list_mentions(release, repository, Quiet())
    assert found == {"lines": "3", "files": "2"}
    listed = (release.layout.made / ended_places.MENTIONS).read_text()
    assert [line.strip() for line in listed.splitlines() if line.startswith("    ")] == [
        "docs/old.md:2: python3.12 -m venv",
        "index.rst:1: Python 3.12",
        "index.rst:2: and 3.12.4 and ``3.12+``",
    ]
    ended_places.propose(release, repository, path, Quiet(), ended_places.MENTIONS)
    assert repository.bodies == [listed]


@pytest.mark.parametrize(
    "text",
    [
        None,
        "def generate_branches():\n    yield from map(_branch, ['3.13', '3.12'])\n",
        BUILDERS.replace("(3, 12)", "(\n        3, 12,\n    )"),
        BUILDERS.replace("yield _maintenance_branch(3, 12)", 'yield branch(git_branch="3.12")'),
    ],
)
def test_file_of_another_form_is_for_a_person_and_never_called_up_to_date(
    text: str | None, a_release: Builds
) -> None:
    """One that moved, or that names the series in a way that this tool does not know."""
    release = replace(a_release("3.12.0"), type=ReleaseType.END_OF_LIFE)
    path = ended_places.BRANCHES
    repository = Repository({} if text is None else {path: text})
    probe = ended_places.look_forgotten(release, repository, path)
    assert probe.state is RemoteState.DIFFERENT
    asked = "ask the administrators of the buildbots to take 3.12 out, then run doit adopt"
    assert probe.remedy == asked
    assert probe.facts["url"] == "done by hand"
    with pytest.raises(StepFailed, match="ask the administrators of the buildbots"):
        ended_places.propose(release, repository, path, Quiet())
    compared = "    if version_tuple < (3, 12):  # 3.12 was slow\n        pass\n"
    repository = Repository({path: BUILDERS.replace("3, 12", "3, 11") + compared})
    assert ended_places.look_forgotten(release, repository, path).state is RemoteState.IDENTICAL


def test_prose_of_the_guide_may_name_the_series(a_release: Builds) -> None:
    release = replace(a_release("3.12.0"), type=ReleaseType.END_OF_LIFE)
    path = ended_places.BUILDING
    text = TABS.format("11", "") + "\n3. A system install of Python 3.12 or newer\n"
    found = ended_places.look_forgotten(release, Repository({path: text}), path)
    assert found.state is RemoteState.IDENTICAL
    text += "\n.. tab:: Python 3.10 to 3.12\n\n   Text.\n"
    found = ended_places.look_forgotten(release, Repository({path: text}), path)
    assert found.state is RemoteState.DIFFERENT
