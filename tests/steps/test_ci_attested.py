"""CI's own build and GitHub's attestation of it: given, withheld and falsified by the world."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest
import yaml

from checks.ci_attested import ci_build_is_attested
from doit_receipts.errors import Waiting
from doit_receipts.finding import Severity
from plugins.model.provenance import PREDICATE_TYPE, SIGNER, WORKFLOW, made_by
from plugins.model.secret import Secret
from plugins.model.strict_json import BrokenJson, canonical
from plugins.rehearsal import github as world
from plugins.rehearsal import hub, sigstore
from plugins.rehearsal.serving import running_world
from plugins.services.github import GitHub
from plugins.services.sigstore_client import SigstoreClient
from plugins.steps import ci
from tests.progress import Quiet
from tests.source_world import FixedClock
from tests.steps.test_elsewhere_altered import altered, paths_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from doit_receipts.finding import Finding
    from plugins.model.release import Release
    from plugins.rehearsal.serving import Addresses
    from tests.conftest import Builds

PATCH: Final = Path(__file__).parents[2] / "docs/how-to/workflows/attest-build.patch"
FILES: Final = {
    "source": ("Python-3.13.6.tgz", "Python-3.13.6.tar.xz"), "docs": ("python-3.13.6-docs.epub",),
}  # fmt: skip
RUN: Final = "https://github.com/python/release-tools/actions/runs/"


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Addresses]:
    with running_world(tmp_path_factory.mktemp("attested") / "world") as made:
        world.seed(made.store, "3.13", ("main", "3.12", "3.13"))
        yield made


class Build:
    """CI's build of a release, fetched, and what is judged of it."""

    def __init__(self, lasting: Addresses, release: Release) -> None:
        self.world, self.release = lasting, release
        self.github = GitHub(
            lasting["github"], "python/release-tools", Secret("env:GITHUB_TOKEN_OF_TEST")
        )
        self.run = str(self.github.dispatch(WORKFLOW, "main", {"cpython_release": "3.13.6"}))
        self.fetch()

    def fetch(self) -> None:
        ci.fetch(self.release, self.github, self.run, Quiet())

    def judged(self, *artifacts: str) -> tuple[Finding, ...]:
        return ci_build_is_attested(
            self.release.layout, artifacts or ("source",), self.github,
            SigstoreClient(sigstore.trust_file(self.world.store)), self.run,
        )  # fmt: skip

    def run_again(self) -> None:
        path = f"/repos/python/release-tools/actions/runs/{self.run}/rerun"
        head = {"authorization": f"Bearer {hub.SECRETS['github']}"}
        assert httpx.post(self.world["github"] + path, headers=head).status_code == 201
        for _ in range(9):
            try:
                ci.wait(self.github, self.run, FixedClock())
            except Waiting:
                continue
            return self.fetch()
        pytest.fail("it never ended")


@pytest.fixture
def build(
    lasting: Addresses, a_release: Builds, request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> Build:  # fmt: skip
    monkeypatch.setenv("GITHUB_TOKEN_OF_TEST", hub.SECRETS["github"])
    store = lasting.store
    store.save("faults", {})
    # Files of this test alone, so that no attestation of another test is about them.
    files = {
        artifact: {name: f"{name} {request.node.nodeid}" for name in names}
        for artifact, names in FILES.items()
    }
    store.save("ci", store.load("ci", {}) | {"polls": 1, "files": files, "runs": []})
    return Build(lasting, a_release("3.13.6"))


def test_every_file_is_attested_and_the_gate_says_by_whom_in_which_run(build: Build) -> None:
    found = build.judged("source", "docs")
    assert [(each.rule, each.severity, each.where) for each in found] == [
        ("ci.attested", Severity.NOTE, "source"), ("ci.attested", Severity.NOTE, "docs"),
    ]  # fmt: skip
    assert found[0].message == f"2 files attested by python/release-tools in {RUN}{build.run}"


PLACE: Final = "https://github.com/python/release-tools/.github/workflows"


@pytest.mark.parametrize(
    ("false", "message"),
    [
        ("issuer", "was made by somebody@example.org at https://github.com/login/oauth"),
        ("workflow", f"was made by {PLACE}/other.yml@refs/heads/main"),
        ("trigger", "its certificate does not say OIDCBuildTrigger workflow_dispatch"),
        ("runner", "its certificate does not say OIDCRunnerEnvironment github-hosted"),
        ("predicate", f"has the predicate {PREDICATE_TYPE}.1, wanted {PREDICATE_TYPE}"),
        ("run", f"is of {RUN}"),
        ("files", "is not about Python-3.13.6.t"),
    ],
)
def test_what_is_false_is_named_and_the_remedy_works(
    build: Build, false: str, message: str, observed: Callable[[str, str], None]
) -> None:
    build.world.store.order_fault("ci.falsely_attested", argument=false)
    found = build.judged()
    assert [each.severity for each in found] == [Severity.BLOCK] * 2
    assert {each.where for each in found} == {f"source/{name}" for name in FILES["source"]}
    assert all(message in each.message for each in found), found
    observed(false, found[0].message)
    assert f"run its job again at {RUN}{build.run}" in found[0].remedy
    assert "doit forget await_build fetch_build" in found[0].remedy
    build.run_again()
    (finding,) = build.judged()
    assert finding.severity is Severity.NOTE
    # GitHub goes on listing what the first attempt left.
    names = [each.name for each in build.github.artifacts(int(build.run))]
    assert sorted(names) == ["docs", "docs", "source", "source"]


def test_what_is_not_attested_blocks_each_file_and_the_remedy_works(build: Build) -> None:
    build.world.store.order_fault("ci.unattested")
    found = build.judged()
    assert [each.where for each in found] == [
        "source/Python-3.13.6.tar.xz", "source/Python-3.13.6.tgz",
    ]  # fmt: skip
    assert {(each.severity, each.message) for each in found} == {
        (Severity.BLOCK, "has no attestation of build-release.yml")
    }
    build.run_again()
    (finding,) = build.judged()
    assert finding.severity is Severity.NOTE


def test_the_same_bytes_attested_by_another_run_alone_do_not_count(build: Build) -> None:
    (finding,) = build.judged()
    assert finding.severity is Severity.NOTE
    first, build.run = build.run, str(build.github.dispatch(WORKFLOW, "main", {}))
    build.world.store.order_fault("ci.unattested")
    found = build.judged()
    assert all(f"/runs/{first}/attempts/1, wanted" in each.message for each in found), found
    assert {each.severity for each in found} == {Severity.BLOCK}


def test_a_file_that_was_changed_here_is_not_attested(build: Build) -> None:
    (build.release.layout.ci / "source" / "Python-3.13.6.tgz").write_text("changed")
    (finding,) = build.judged()
    assert (finding.severity, finding.where) == (Severity.BLOCK, "source/Python-3.13.6.tgz")


def test_an_artifact_that_ci_did_not_leave_blocks_by_its_name(build: Build) -> None:
    (finding,) = build.judged("sauce")
    assert (finding.severity, finding.where) == (Severity.BLOCK, "sauce")
    assert finding.message == "CI left no artifact of this name"


def test_a_github_that_does_not_answer_blocks_in_one_line(build: Build) -> None:
    build.world.store.order_fault("github.rate_limited", times=9)
    (finding,) = build.judged()
    assert (finding.rule, finding.severity) == ("ci.attested", Severity.BLOCK)
    assert "limit" in finding.message


def test_each_single_alteration_of_a_signed_statement_is_refused_or_decides_nothing(
    count: Callable[[str, int], None],
) -> None:
    run = {"metadata": {"invocationId": f"{RUN}7/attempts/2"}}
    subject = {"name": "Python-3.13.6.tgz", "digest": {"sha256": "5" * 64}}
    content: dict[str, Any] = {
        "_type": "https://in-toto.io/Statement/v1", "subject": [subject],
        "predicateType": PREDICATE_TYPE, "predicate": {"runDetails": run},
    }  # fmt: skip
    good = made_by(canonical(content), "7")
    refused = 0
    for path in paths_of(content):
        for how in ("missing", "null", "a list", "an object", "a number", "a text", "huge"):
            try:
                found = made_by(canonical(altered(content, path, how)), "7")
            except BrokenJson:
                refused += 1
            else:
                same = found.digest_of("Python-3.13.6.tgz") == good.digest_of("Python-3.13.6.tgz")
                assert not same, (path, how)
    for other in (f"{RUN}71/attempts/2", f"{RUN}7/attempts/2/x", f"{RUN}7", f"x{RUN}7/attempts/2"):
        run["metadata"]["invocationId"] = other
        with pytest.raises(BrokenJson, match=r"wanted .*/runs/7$"):
            made_by(canonical(content), "7")
    assert refused > 40
    count("alterations of a build's statement refused", refused)


def test_the_patch_is_three_lines_that_give_one_job_what_attesting_needs(tmp_path: Path) -> None:
    added = [line for line in PATCH.read_text().splitlines() if line.startswith("+")][1:]
    assert len(added) == 3
    assert not [line for line in PATCH.read_text().splitlines()[5:] if line.startswith("-")]
    # A workflow of the same shape, longer above than the one that the patch was made for.
    file = tmp_path / ".github" / "workflows" / WORKFLOW
    file.parent.mkdir(parents=True)
    file.write_text("\n".join([
        "on: {workflow_dispatch: {}}", "permissions: {}", *["#"] * 140, "jobs:",
        "  verify-input:", "    runs-on: ubuntu-24.04", "    timeout-minutes: 5", "    steps: []",
        "  build-source:", "    runs-on: ubuntu-24.04", "    timeout-minutes: 15", "    needs:",
        "      - verify-input", "    steps:", "      - name: Upload",
        "        uses: actions/upload-artifact@043fb46d1a93c77aae656e7c1c64a875d1fc6a0a",
        "        with:", "          name: source", "          path: |",
        "            cpython/${{ env.CPYTHON_RELEASE }}/src", "", "  build-docs:",
        "    runs-on: ubuntu-24.04", "    timeout-minutes: 45", "    steps: []", "",
    ]))  # fmt: skip
    subprocess.run(["git", "init", "-q", "."], cwd=tmp_path, check=True)
    subprocess.run(["git", "apply", PATCH], cwd=tmp_path, check=True)
    content = yaml.safe_load(file.read_text())
    job = content["jobs"]["build-source"]
    assert job["permissions"] == {"contents": "read", "id-token": "write", "attestations": "write"}
    # A fork's pull request gets no identity, so only what was dispatched attests.
    assert job["steps"][-1] == {
        "uses": "actions/attest@1e69f48acb82d1966a394da916b4c1698aa569d6",
        "if": "github.event_name == 'workflow_dispatch'",
        "with": {"subject-path": "cpython/${{ env.CPYTHON_RELEASE }}/src/*"},
    }
    assert [name for name, each in content["jobs"].items() if "permissions" in each] == [
        "build-source"
    ]
    assert SIGNER.address == f"{PLACE}/{WORKFLOW}@refs/heads/main"
