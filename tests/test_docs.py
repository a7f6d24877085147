"""The documentation: its links lead somewhere, and what it names is there."""

from __future__ import annotations

import functools
import json
import re
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest

from docs.every_kind import every_plan
from doit_receipts.status import TaskState
from plugins.model.manifest import Manifest
from plugins.rehearsal import cdn, hub, site, ssh_server

PROJECT: Final = Path(__file__).resolve().parents[1]
PAGES: Final = sorted([*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md")])

# doit's own commands that the pages may speak of.
DOITS_OWN: Final = {"clean", "forget", "help", "info", "list", "run"}


@pytest.fixture(scope="session")
def generator() -> dict[str, Any]:
    """What docs/generate.py defines."""
    return runpy.run_path(str(PROJECT / "docs" / "generate.py"))


def test_the_page_of_settings_is_up_to_date(generator: dict[str, Any]) -> None:
    wanted = generator["settings_page"](PROJECT)
    page = (PROJECT / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")
    assert page == wanted, "run: python docs/generate.py"


@pytest.mark.parametrize(
    ("neighbour", "function", "page"),
    [
        ("generate_rules", "rules_page", "PAGE"),
        ("generate_tasks", "tasks_page", "PAGE"),
        ("generate_tasks", "faults_page", "FAULTS_PAGE"),
        ("generate_pep", "pep_page", "PAGE"),
        ("generate_engine", "api_page", "PAGE"),
        ("generate_release_schema", "release_schema", "PAGE"),
    ],
)
def test_the_other_generated_pages_are_up_to_date(neighbour: str, function: str, page: str) -> None:
    made = runpy.run_path(str(PROJECT / "docs" / f"{neighbour}.py"))
    written = made[page].read_text(encoding="utf-8")
    assert made[function](PROJECT) == written, "run: python docs/generate.py"


def test_the_graph_is_up_to_date_wherever_its_tasks_stand() -> None:
    """Another Graphviz, or another processor, may place them otherwise."""
    made = runpy.run_path(str(PROJECT / "docs" / "generate_graph.py"))
    drawn, written = made["graph_page"](PROJECT), made["PAGE"].read_text(encoding="utf-8")
    place = r' (?:d|x|y|viewBox|width|height)="[^"]*"'
    found, wanted = (sorted(re.sub(place, "", each).splitlines()) for each in (written, drawn))
    assert found == wanted, "run: python docs/generate.py"


def test_every_rule_says_what_is_wanted() -> None:
    page = (PROJECT / "docs" / "reference" / "rules.md").read_text(encoding="utf-8")
    entries = page.split("\n### ")[1:]
    assert len(entries) > 60
    assert [entry.split("\n")[0] for entry in entries if "- wanted: " not in entry] == []


def test_every_task_and_fault_is_in_the_reference() -> None:
    tasks = (PROJECT / "docs" / "reference" / "tasks.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| .+ \| .+\. ?(?:\*.+\*)? \|", tasks, re.MULTILINE)
    assert set(rows) == _tasks() - {"export", "publish"}
    faults = (PROJECT / "docs" / "reference" / "faults.md").read_text(encoding="utf-8")
    known = {**hub.FAULTS, **site.FAULTS, **cdn.FAULTS, **ssh_server.FAULTS}
    assert set(re.findall(r"^\| `([a-z0-9_.]+)` \|", faults, re.MULTILINE)) == set(known)


def test_the_manifest_that_the_page_for_experts_writes_is_one(tmp_path: Path) -> None:
    page = (PROJECT / "docs" / "how-to" / "be-an-expert.md").read_text(encoding="utf-8")
    script = page.partition("```sh\nversion=")[2].partition("gpg --armor")[0]
    (tmp_path / "3.13.6").mkdir()
    for name in ("python-3.13.6.exe", "python-3.13.6-amd64.exe", "Windows-3.13.6.json"):
        (tmp_path / "3.13.6" / name).write_text(f"{name}\n", encoding="utf-8")
    script = f"version={script}".replace("COMMIT-OF-THE-EMAIL", "8b56")
    subprocess.run(["sh", "-euc", script], cwd=tmp_path, check=True)
    found = Manifest.from_bytes((tmp_path / "MANIFEST").read_bytes(), "MANIFEST")
    assert (found.version, found.role, found.commit) == ("3.13.6", "windows", "8b56")
    assert len(found.files) == 3


def test_every_setting_says_what_it_means(generator: dict[str, Any]) -> None:
    page = generator["settings_page"](PROJECT)
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert len(rows) > 20
    assert [row for row in rows if re.search(r"\|\s*\|", row)] == []


def test_a_setting_offers_the_values_that_release_toml_takes(generator: dict[str, Any]) -> None:
    page = generator["settings_page"](PROJECT)
    schema = json.loads((PROJECT / "docs/reference/release.schema.json").read_bytes())
    offered = {
        f"| `{key}` | " + ", ".join(f'`"{each}"`' for each in asked["enum"]) + " |"
        for table in (schema, *schema["properties"].values())
        for key, asked in table.get("properties", {}).items()
        if "enum" in asked
    }
    assert len(offered) > 5
    assert {row for row in offered if row not in page} == set()


def test_tasks_that_the_design_shows_are_those_of_the_chapters() -> None:
    page = (PROJECT / "docs" / "design.md").read_text(encoding="utf-8")
    chapters = "".join(path.read_text(encoding="utf-8") for path in PROJECT.glob("chapters/*.py"))
    shown = re.findall(r"^@plan\.[^`]+?(?=\n\n\n|\n```)", page, flags=re.MULTILINE)
    assert len(shown) == 2
    assert not [task for task in shown if task not in chapters]


def test_messages_that_the_pages_explain_are_those_of_the_code() -> None:
    """Of each row of a table of messages the longest part without numbers and marks."""
    folders = ("plugins", "checks", "doit_receipts")
    modules = [path for folder in folders for path in PROJECT.glob(f"{folder}/**/*.py")]
    said = "\n".join(path.read_text(encoding="utf-8") for path in modules)
    missing, seen = [], 0
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for table in re.findall(r"^\| message \|.*\n\|[ |-]+\n((?:\|.*\n)+)", text, re.MULTILINE):
            for row in table.splitlines():
                counted = r"\d+ of \d+ \w+ (?:is|are|has|have)\b"
                parts = re.split(rf"{counted}|[….,;:]|\d+|\bor\b", row.split("|")[1])
                longest = max((part.strip() for part in parts), key=len)
                seen += 1
                missing += [] if longest in said else [f"{page.name}: {longest}"]
    assert seen > 20
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_make_targets_that_a_page_names_are_in_the_makefile(page: Path) -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    named = re.findall(r"(?:`|^)make ([a-z-]+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert [name for name in named if f"\n{name}:" not in makefile] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_doit_commands_and_tasks_that_a_page_names_are_there(page: Path) -> None:
    declared = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    known = {*declared["tool"]["doit"]["plugins"]["command"], *DOITS_OWN, *_tasks()}
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"(?:`|^)doit ([a-z_]+)", text, re.MULTILINE))
    named |= set(re.findall(r"doit why ([a-z_]+)", text))
    assert named - known == set()


def test_the_tutorial_counts_the_tasks_that_there_are(tmp_path: Path) -> None:
    (tmp_path / "release.toml").write_text(
        'version = "3.13.6"\n[repository]\nclone = "cpython"\n'
        '[signing]\ngpg_key = "0123456789ABCDEF0123456789ABCDEF01234567"\n'
        # as the rehearsed release of the tutorial declares them
        '[credentials]\nazure = "env:AZURE_TOKEN"\n'
        "[announce]\nheads_up = true\n"
        + "".join(f'{name} = "a@b.c"\n' for name in ("list", "announce", "dev", "committers"))
        + "".join(
            f'[experts.{role}]\nname = "Them"\nmail = "a@b.c"\n'
            'keys = ["0123456789ABCDEF0123456789ABCDEF01234567"]\n'
            for role in ("windows", "macos")
        ),
        encoding="utf-8",
    )
    listed = subprocess.run(
        [sys.executable, "-m", "doit", "list", "--status", "--release", tmp_path / "release.toml"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    page = (PROJECT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    for group in ("export", "publish"):
        counted = re.search(rf" {group} +group +(\d+) of (\d+) left", listed)
        assert counted
        assert set(re.findall(rf"^{group}: .* of (\d+) done", page, re.MULTILINE)) == {counted[2]}


def test_every_word_of_the_list_and_every_exit_status_is_explained() -> None:
    stops = (PROJECT / "docs" / "how-to" / "when-it-stops.md").read_text(encoding="utf-8")
    explained = re.findall(r"^\| ([a-z]+) \| [a-z]", stops, re.MULTILINE)
    assert [word for word in explained if word != "word"] == [state.value for state in TaskState]
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| (\d) \|", readme, re.MULTILINE)) == set("01234")


@functools.cache
def _tasks() -> set[str]:
    """The names of all tasks of any kind of release."""
    return {name for plan in every_plan().values() for name in plan.tasks}
