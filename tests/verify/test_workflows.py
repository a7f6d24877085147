"""The workflows that are ready to be copied: what they may do, and what they print."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml

from plugins.rehearsal.serving import running_world
from tests.export.toy import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.released import Released

_FOLDER: Final = PROJECT / "docs" / "how-to" / "workflows"
# The one that signs has rights, and tests of its own: tests/steps/test_step_workflow.py.
WORKFLOWS: Final = sorted(set(_FOLDER.glob("*.yml")) - {_FOLDER / "pep101-step.yml"})


def steps_of(workflow: Path) -> list[dict[str, Any]]:
    """Every step of every job."""
    jobs = yaml.safe_load(workflow.read_text())["jobs"]
    return [step for job in jobs.values() for step in job["steps"]]


def command_of(name: str) -> str:
    """The line of the workflow that verifies."""
    told = [str(step.get("run", "")) for step in steps_of(WORKFLOWS[0].with_name(name))]
    (found,) = (each for each in told if each.startswith("doit verify"))
    return found


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda each: each.stem)
def test_a_workflow_may_only_read_and_names_every_action_by_its_commit(workflow: Path) -> None:
    text = workflow.read_text()
    content = yaml.safe_load(text)
    assert content["permissions"] == {"contents": "read"}
    assert all("permissions" not in job for job in content["jobs"].values())
    assert all(job["timeout-minutes"] for job in content["jobs"].values())
    assert "secrets." not in text
    # Whoever may open a pull request runs nothing of theirs with this token.
    assert "pull_request" not in text
    used = [step["uses"] for step in steps_of(workflow) if "uses" in step]
    assert used
    assert all(re.fullmatch(r"actions/[a-z/-]+@[0-9a-f]{40}", each) for each in used)
    (checkout,) = (each for each in steps_of(workflow) if "checkout" in each.get("uses", ""))
    assert checkout["with"]["persist-credentials"] is False


@pytest.fixture
def workspace(released: Released, tmp_path: Path) -> Iterator[Path]:
    """What a runner has checked out: the tool, the release's declaration and public keys.

    The release is out, in a world that answers.
    """
    for name in ("dodo.py", "chapters", "plugins", "checks", "pyproject.toml"):
        (tmp_path / name).symlink_to(PROJECT / name)
    shutil.copytree(
        released.made, tmp_path / "series", symlinks=True,
        ignore=shutil.ignore_patterns("build", "ports.json", "addresses.json"),
    )  # fmt: skip
    home = str(released.settings.signing.gnupg_home)
    keys = subprocess.run(
        ["gpg", "--homedir", home, "--armor", "--export"], capture_output=True, check=True
    )
    (tmp_path / "release-managers.asc").write_bytes(keys.stdout)
    world, declared = tmp_path / "series" / "world", tmp_path / "series" / "release.toml"
    with running_world(world):
        # Another world of the same release may run beside this one.
        state = "state/addresses.json"
        before = json.loads((released.made / "world" / state).read_text())
        now = json.loads((world / state).read_text())
        text = declared.read_text()
        for name, address in before.items():
            text = text.replace(f'"{address}"', f'"{now[name]}"')
        declared.write_text(text)
        yield tmp_path


def as_a_runner(workspace: Path, command: str) -> subprocess.CompletedProcess[str]:
    """What the step prints, in the environment that GitHub's runners have."""
    tools = Path(sys.executable).parent
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("PEP101")},
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "PEP101_RELEASE": str(workspace / "series" / "release.toml"),
    }
    return subprocess.run(
        ["bash", "-e", "-c", command],
        cwd=workspace, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.slow
def test_on_a_runner_a_good_release_is_a_line_and_a_notice_and_a_fault_is_an_annotation(
    workspace: Path,
) -> None:
    command = command_of("verify.yml")
    good = as_a_runner(workspace, command)
    assert good.returncode == 0, good.stdout + good.stderr
    nobody, line = good.stdout.splitlines()
    assert nobody.startswith("::notice title=rebuild.few::")  # it makes the archives again, alone
    assert re.fullmatch(r"Python 3\.13\.6 holds: (\d+) of \1 subjects good, .*", line)

    served = workspace / "series/world/hosts/downloads/srv/www.python.org/ftp/python/3.13.6"
    (served / "Python-3.13.6.tgz.asc").write_text("no signature\n")
    bad = as_a_runner(workspace, f"{command} --fresh")
    assert bad.returncode == 1, bad.stdout + bad.stderr
    *annotations, last = bad.stdout.splitlines()
    assert "DOES NOT HOLD" in last
    assert all(re.match(r"::(error|warning|notice) title=[a-z_.]+::", each) for each in annotations)
    assert any(each.startswith("::error title=signature.unreadable::") for each in annotations)


@pytest.mark.slow
def test_on_a_runner_an_audit_reads_the_declaration_of_its_series(workspace: Path) -> None:
    (workspace / "series" / "release.toml").rename(workspace / "series" / "3.13.toml")
    command = command_of("audit.yml").replace("${{ matrix.series }}", "3.13")
    done = as_a_runner(workspace, command)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "holds" in done.stdout.splitlines()[-1]
