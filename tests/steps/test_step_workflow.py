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

from doit_receipts.artifact import sha256_of
from plugins.model.action import platform_here
from plugins.model.attested import PREDICATE_TYPE, attested
from plugins.model.farm_settings import Engine, Farm
from plugins.model.local_settings import SourceTest
from plugins.model.statement import STATEMENT_TYPE
from plugins.rehearsal import sigstore, step_runner
from plugins.rehearsal.identity import token_of_run
from plugins.rehearsal.serving import running_world
from plugins.rehearsal.workflow_identity import WorkflowRun
from plugins.steps import elsewhere, rebuild_elsewhere, tarball
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


def test_it_is_dispatched_or_called_with_the_same_inputs_and_begun_by_nothing_else() -> None:
    # YAML 1.1 reads "on" as true.
    begins = yaml.safe_load(WORKFLOW.read_text())[True]
    assert set(begins) == {"workflow_dispatch", "workflow_call"}
    asked, called = (
        {name: (each["type"], each["required"]) for name, each in how["inputs"].items()}
        for how in (begins["workflow_dispatch"], begins["workflow_call"])
    )
    assert asked == called == dict.fromkeys(("action", "digest", "owner"), ("string", True))


STEP_IS: Final = re.compile(r"fromJSON\(inputs\.action\)\.step (==|!=) '(\w+)'")


def begun(step: str) -> set[str]:
    """The jobs that run for an action of this step, where all that they need went well."""
    conditions = {name: " ".join(job["if"].split()) for name, job in jobs().items()}
    last = conditions.pop("attest")
    found = {name for name, words in conditions.items() if is_so(words, step)}
    for name in jobs().keys() - {"attest"}:
        last = last.replace(f"needs.{name}.result == 'success'", str(name in found))
    last = STEP_IS.sub(lambda words: str(is_so(words[0], step)), last)
    text = last.removeprefix("${{ !cancelled() && ").removesuffix(" }}")
    for there, here in (("||", "or"), ("&&", "and")):
        text = text.replace(there, here)
    assert re.fullmatch(r"[()TrueFalsandor ]+", text), text
    return found | ({"attest"} if eval(text) else set())


def is_so(words: str, step: str) -> bool:
    match = STEP_IS.fullmatch(words)
    assert match, words
    return (match[1] == "==") == (match[2] == step)


def named(name: str, step: str) -> str:
    """What an artifact is called for an action of this step."""
    if not name.startswith("${{"):
        return name
    match = re.fullmatch(rf"\$\{{\{{ ({STEP_IS.pattern}) && '(\w+)' \|\| '(\w+)' \}}\}}", name)
    assert match, name
    return match[4] if is_so(match[1], step) else match[5]


@pytest.mark.parametrize(
    ("step", "wanted"),
    [
        ("test_source", {"archives", "test", "attest"}),
        ("build_docs", {"docs", "attest"}),
        ("build_tarballs", {"archives", "attest"}),
    ],
)
def test_each_step_has_its_jobs_and_what_failed_is_not_attested(
    step: str, wanted: set[str]
) -> None:
    assert begun(step) == wanted
    assert set(jobs()["attest"]["needs"]) == {"archives", "test", "docs"}


@pytest.mark.skipif(not shutil.which("tar"), reason="no tar")
@pytest.mark.parametrize(("status", "said"), [(0, ""), (3, "the tests ended with status 3")])
def test_the_step_for_windows_builds_tests_and_says_how_many_tests_there_were(
    tmp_path: Path, status: int, said: str
) -> None:
    """With programs in place of cmd and of the python.exe that PCbuild makes; not on Windows."""
    name = "Python-3.13.6"
    (tmp_path / name / "PCbuild").mkdir(parents=True)
    source = tmp_path / "room" / "src"
    source.mkdir(parents=True)
    subprocess.run(["tar", "-czf", source / f"{name}.tgz", name], cwd=tmp_path, check=True)
    made = f"case $1 in -V) echo Python 3.13.6;; *) echo Total tests: run=1,234; exit {status};; "
    programs = {
        "cmd": "mkdir PCbuild/win32; cp $HERE/python.exe PCbuild/win32",
        "python.exe": f"{made}esac",
    }
    for program, does in programs.items():
        (tmp_path / program).write_text(f"#!/bin/sh\n{does}\n")
        (tmp_path / program).chmod(0o755)
    action = {
        "version": "3.13.6", "platform": "i686-pc-windows-msvc", "params": {"level": "full"},
        "inputs": {f"{name}.tgz": sha256_of(source / f"{name}.tgz")},
    }  # fmt: skip
    (script,) = (step["run"] for step in jobs()["test"]["steps"] if step.get("shell") == "python")
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "HERE": str(tmp_path),
                   "ACTION": json.dumps(action)}  # fmt: skip
    ended = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert "Total tests: run=1,234" in ended.stdout
    file = tmp_path / "tested" / "tests.json"
    if said:
        assert said in ended.stderr
        assert not file.exists()
        return
    assert ended.returncode == 0, ended
    assert json.loads(file.read_bytes()) == {
        "level": "full", "python": "3.13.6", "ran": "1234", "tests": "python -m test -uall",
    }  # fmt: skip


class Runner:
    """What a runner does with the jobs, here: each in an empty folder with the tool checked out."""

    def __init__(self, folder: Path, action: Action, fork: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.step = action.step
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
                name = named(step["with"]["name"], self.step)
                shutil.copytree(room / step["with"]["path"], self.stored / name)
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
    runner.job("archives")
    runner.job("test")
    room = runner.job("attest")
    done = attested(stated(room), action)
    assert (done.run, done.tool, done.facts["python"]) == (RUN, TOOL, "3.13.6")
    assert done.facts["level"] == "quick"
    subprocess.run(["sha256sum", "--check", "--strict", "../made/subjects.sha256"],
                   cwd=_with_action(room), check=True, capture_output=True)  # fmt: skip
    a_stranger_believes_it(tmp_path, room, action, room / "tested" / "tests.json")


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("sha256sum"), reason="no sha256sum")
def test_the_steps_make_the_archives_again_and_the_statement_counts(
    tmp_path: Path, keyring: GnupgHome
) -> None:
    found = a_hub_world(tmp_path / "world", keyring, keyring.key("Another runner"))
    release, clone, programs = found.release, found.world.clone, found.world.programs
    facts = tarball.build(release, clone, programs, Quiet())
    (action,) = rebuild_elsewhere.actions(release, commit=facts["commit"])
    runner = Runner(tmp_path / "runner", action, release.layout.clone)
    runner.job("archives")
    room = runner.job("attest")
    done = attested(stated(room), action)
    made = {path.name: sha256_of(path) for path in release.layout.tarballs}
    assert {name: done.products[name] for name in made} == made
    assert set(done.products) - set(made) == {"facts.json"}
    assert done.facts == {name: facts[name] for name in ("commit", "git", "blurb", "gzip", "xz")}
    a_stranger_believes_it(tmp_path, room, action, room / "tested" / "Python-3.13.6.tgz")


def stated(room: Path) -> bytes:
    """What actions/attest signs, put together by nothing of ours."""
    lines = (room / "made" / "subjects.sha256").read_text().splitlines()
    named = [line.split("  ", 1) for line in lines]
    statement: dict[str, Any] = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": name, "digest": {"sha256": digest}} for digest, name in named],
        "predicateType": PREDICATE_TYPE,
        "predicate": json.loads((room / "made" / "predicate.json").read_bytes()),
    }
    return json.dumps(statement).encode()


def a_stranger_believes_it(folder: Path, room: Path, action: Action, product: Path) -> None:
    """A program without anything of ours verifies the product, and refuses it once it differs."""
    with running_world(folder / "lasting" / "world") as lasting:
        whole = WorkflowRun("python/release-tools", "pep101-step.yml", sha=TOOL, run=1)
        other = replace(whole, workflow="other.yml")
        trust = sigstore.trust_file(lasting.store)
        for at, run in enumerate((whole, other)):
            token = token_of_run(lasting.store, run)
            bundle = folder / f"attestation-{at}.json"
            bundle.write_text(step_runner.attest(room / "made", trust, token))
    good = read(trust, folder / "attestation-0.json", product)
    assert good.returncode == 0, good
    said = f"{action.step} of v3.13.6, commit {action.commit}, on {action.platform}"
    assert said in good.stdout
    assert f"passed in {RUN}, done by the tool at commit {TOOL}" in good.stdout
    assert "refused" in read(trust, folder / "attestation-1.json", product).stderr
    product.write_bytes(product.read_bytes() + b" ")
    altered = read(trust, folder / "attestation-0.json", product)
    assert "is not what was attested" in altered.stderr


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
