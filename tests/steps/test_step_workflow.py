"""The workflow that tests the sources elsewhere: its rights, and its steps as a runner does."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import venv
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml

from plugins.model.action import platform_here
from plugins.model.attested import PREDICATE_TYPE, attested
from plugins.model.farm_settings import Engine, Farm
from plugins.model.local_settings import SourceTest
from plugins.model.statement import STATEMENT_TYPE
from plugins.rehearsal import sigstore, step_runner
from plugins.rehearsal.identity import token_of_run
from plugins.rehearsal.serving import running_world
from plugins.rehearsal.workflow_identity import WorkflowRun
from plugins.steps import elsewhere, tarball
from tests.hub_world import a_hub_world
from tests.progress import Quiet

if TYPE_CHECKING:
    from plugins.model.action import Action
    from plugins.rehearsal.gnupg_home import GnupgHome

PROJECT: Final = Path(__file__).parents[2]
WORKFLOW: Final = PROJECT / "docs" / "how-to" / "workflows" / "pep101-step.yml"
SCRIPT: Final = PROJECT / "docs" / "how-to" / "read_step.py"
RUN: Final = "https://github.com/python/release-tools/actions/runs/1"
TOOL: Final = "5" * 40


def jobs() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(WORKFLOW.read_text())["jobs"]
    return found


def test_only_the_job_that_runs_nothing_of_the_tree_may_sign() -> None:
    content = yaml.safe_load(WORKFLOW.read_text())
    assert content["permissions"] == {}
    rights = {name: job["permissions"] for name, job in content["jobs"].items()}
    assert rights == {
        "archives": {"contents": "read"},
        "test": {},
        "docs": {},
        "attest": {"contents": "read", "id-token": "write", "attestations": "write"},
    }
    signing = " ".join(str(step.get("run", "")) for step in content["jobs"]["attest"]["steps"])
    assert "worker state" in signing
    assert not re.search(r"worker (archives|test|docs)|configure|make|install", signing)


def test_every_action_is_named_by_its_commit_and_no_input_is_pasted_into_a_shell() -> None:
    text = WORKFLOW.read_text()
    steps = [step for job in jobs().values() for step in job["steps"]]
    used = [step["uses"] for step in steps if "uses" in step]
    assert all(re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", each) for each in used)
    assert all(
        step["with"]["persist-credentials"] is False
        for step in steps
        if step.get("uses", "").startswith("actions/checkout@")
    )
    assert not [step for step in steps if "${{" in str(step.get("run", ""))]
    assert all(job["timeout-minutes"] for job in jobs().values())
    assert "secrets." not in text
    assert "pull_request" not in text
    assert jobs()["attest"]["steps"][-1]["with"]["predicate-type"] == PREDICATE_TYPE


class Runner:
    """What a runner does with the jobs, here: each in an empty folder with the tool checked out."""

    def __init__(self, folder: Path, action: Action, fork: Path) -> None:
        self.folder = folder
        self.stored = folder / "artifacts"
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("PEP101")},
            "ACTION": action.to_bytes().decode(),
            "DIGEST": action.digest,
            "FORK": str(fork),
            "RUN": RUN,
            "TOOL_COMMIT": TOOL,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }

    def job(self, name: str) -> Path:
        room = self.folder / name
        room.mkdir()
        for part in ("plugins", "doit_receipts"):
            (room / part).symlink_to(PROJECT / part)
        steps = jobs()[name]["steps"]
        environment = dict(self.environment)
        if not any(step.get("name") == "Install" for step in steps):
            # Where nothing is installed, Python has its own library and no more.
            venv.create(room / "bare", symlinks=True)
            environment["PATH"] = f"{room / 'bare' / 'bin'}{os.pathsep}{environment['PATH']}"
        for step in steps:
            if step.get("name") == "Install" or "== 'Windows'" in step.get("if", ""):
                continue
            if "run" in step:
                command = ["bash", "-e", "-o", "pipefail", "-c", step["run"]]
                ended = subprocess.run(
                    command, cwd=room, env=environment, capture_output=True, text=True,
                    check=False,
                )  # fmt: skip
                assert ended.returncode == 0, (step["name"], ended.stdout[-2000:], ended.stderr)
            elif "upload-artifact" in step["uses"]:
                shutil.copytree(room / step["with"]["path"], self.stored / step["with"]["name"])
            elif "download-artifact" in step["uses"]:
                shutil.copytree(self.stored / step["with"]["name"], room / step["with"]["path"])
        return room


@pytest.mark.slow
@pytest.mark.skipif(
    not (shutil.which("cc") and shutil.which("sha256sum")), reason="no C compiler, or no sha256sum"
)
def test_the_steps_make_test_and_state_and_the_statement_counts(
    tmp_path: Path, keyring: GnupgHome
) -> None:
    found = a_hub_world(tmp_path / "world", keyring, keyring.key("Runner"))
    release, clone, programs = found.release, found.world.clone, found.world.programs
    made = tarball.build(release, clone, programs, Quiet())
    sums = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in release.layout.tarballs
    }
    farm = Farm(engine=Engine.GITHUB, platforms=(platform_here(),), tests=SourceTest.QUICK)
    (action,) = elsewhere.actions(release, farm, sums, commit=made["commit"])
    runner = Runner(tmp_path / "runner", action, release.layout.clone)
    runner.folder.mkdir()
    runner.job("archives")
    runner.job("test")
    room = runner.job("attest")
    # What actions/attest signs, put together by nothing of ours.
    lines = (room / "made" / "subjects.sha256").read_text().splitlines()
    named = [line.split("  ", 1) for line in lines]
    statement: dict[str, Any] = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": name, "digest": {"sha256": digest}} for digest, name in named],
        "predicateType": PREDICATE_TYPE,
        "predicate": json.loads((room / "made" / "predicate.json").read_bytes()),
    }
    done = attested(json.dumps(statement).encode(), action)
    assert (done.run, done.tool, done.facts["python"]) == (RUN, TOOL, "3.13.6")
    assert done.facts["level"] == "quick"
    subprocess.run(["sha256sum", "--check", "--strict", "../made/subjects.sha256"],
                   cwd=_with_action(room), check=True, capture_output=True)  # fmt: skip
    with running_world(tmp_path / "lasting" / "world") as lasting:
        whole = WorkflowRun("python/release-tools", "pep101-step.yml", sha=TOOL, run=1)
        other = replace(whole, workflow="other.yml")
        trust = sigstore.trust_file(lasting.store)
        for at, run in enumerate((whole, other)):
            token = token_of_run(lasting.store, run)
            bundle = tmp_path / f"attestation-{at}.json"
            bundle.write_text(step_runner.attest(room / "made", trust, token))
    product = room / "tested" / "tests.json"
    good = read(trust, tmp_path / "attestation-0.json", product)
    assert good.returncode == 0, good
    assert f"test_source of v3.13.6, commit {action.commit}, on {platform_here()}" in good.stdout
    assert f"passed in {RUN}, done by the tool at commit {TOOL}" in good.stdout
    assert "refused" in read(trust, tmp_path / "attestation-1.json", product).stderr
    product.write_bytes(product.read_bytes() + b" ")
    assert "is not what was attested" in read(
        trust, tmp_path / "attestation-0.json", product
    ).stderr  # fmt: skip


def read(trust: Path, bundle: Path, product: Path) -> subprocess.CompletedProcess[str]:
    """What a stranger's program says, which imports nothing of ours."""
    words: list[str | Path] = [sys.executable, "-I", SCRIPT, bundle]
    words += ["python/release-tools", "pep101-step.yml", product]
    return subprocess.run(
        words, env={"SIGSTORE_TRUST": str(trust), "HOME": str(bundle.parent)}, cwd=bundle.parent,
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def _with_action(room: Path) -> Path:
    """A folder with every file that is attested."""
    shutil.copy(room / "made" / "action.json", room / "tested")
    return room / "tested"
