"""Steps elsewhere, against the simulated GitHub and its runs, which are processes of their own."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import httpx
import pytest

from checks.machines import every_platform_passed
from doit_receipts.errors import ReleaseError, StepFailed, Waiting
from doit_receipts.finding import Severity, Waiver, blocking
from doit_receipts.journal import Journal
from doit_receipts.outside import heard_by
from doit_receipts.probe import RemoteState
from plugins.model.action import NOBODY, PASSED, TIER_1, Action, bundle_file, here_file
from plugins.model.farm_settings import Engine, Farm, Then
from plugins.model.local_settings import SourceTest
from plugins.model.secret import Secret
from plugins.rehearsal import github as world
from plugins.rehearsal import hub, sigstore
from plugins.rehearsal.serving import running_world
from plugins.services.github_machines import GitHubMachines
from plugins.services.sigstore_client import SigstoreClient
from plugins.steps import elsewhere
from plugins.steps.errand import Errand
from tests.progress import Heard
from tests.source_world import FixedClock
from tests.waiting import comes_true

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from doit_receipts.finding import Finding
    from doit_receipts.outside import Act
    from plugins.model.release import Release
    from plugins.ports.programs import Programs
    from plugins.rehearsal.serving import Addresses
    from plugins.rehearsal.store import Store
    from tests.conftest import Builds

FIRST, SECOND, *_ = TIER_1


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Addresses]:
    with running_world(tmp_path_factory.mktemp("elsewhere") / "world") as made:
        world.seed(made.store, "3.13", ("main", "3.12", "3.13"))
        yield made


@dataclass
class Asking:
    """A release manager who has tests elsewhere, and the world that is asked."""

    release: Release
    world: Addresses
    farm: Farm
    actions: tuple[Action, ...]
    clock: FixedClock
    journal: Journal
    progress: Heard
    programs: Programs | None = None
    github: str = ""
    """Another GitHub than the simulated one."""

    @property
    def store(self) -> Store:
        return self.world.store

    @property
    def errand(self) -> Errand:
        token = Secret("env:GITHUB_TOKEN_OF_TEST")
        machines = GitHubMachines(
            self.github or self.world["github"], self.farm.repository, token,
            workflow=self.farm.workflow, ref=self.farm.ref,
        )  # fmt: skip
        verifier = SigstoreClient(sigstore.trust_file(self.store))
        return Errand(self.release.layout, self.farm, self.actions, machines, verifier)

    def on(self, *platforms: str, **changed: object) -> Asking:
        actions = tuple(replace(self.actions[0], platform=each) for each in platforms)
        return replace(self, farm=replace(self.farm, **changed), actions=actions)  # type: ignore[arg-type]

    def start(self) -> dict[str, str]:
        return elsewhere.start(self.errand, self.clock, self.progress, owner="rm")

    def follow(self, here: str = "") -> dict[str, str]:
        return elsewhere.follow(
            self.release, self.errand, self.clock, self.journal, self.programs, self.progress,  # type: ignore[arg-type]
            here=here,
        )  # fmt: skip

    def to_the_end(self) -> dict[str, str]:
        """What came of it, once no run goes on. Raises what ``follow`` raises."""
        came: dict[str, str] = {}

        def ended() -> bool:
            try:
                came.update(self.follow())
            except Waiting:
                return False
            return True

        assert comes_true(ended, look_s=0.2)
        return came

    def post(self, act: str) -> None:
        """What a person does with the newest run on GitHub's page of it."""
        path = f"/repos/python/release-tools/actions/runs/{self.runs[-1]['id']}/{act}"
        head = {"authorization": f"Bearer {hub.SECRETS['github']}"}
        assert httpx.post(self.world["github"] + path, headers=head).is_success

    def follow_the_remedy(self, said: str) -> None:
        """Cancel, run again or forget, as the message says; forgotten, start_tests looks again."""
        if "cancel what still runs there" in said:
            self.post("cancel")
        if "doit forget start_" not in said:
            self.post("rerun")
            return
        assert elsewhere.look_asked(self.errand, self.clock).state is RemoteState.ABSENT
        self.start()

    def judged(self, came: dict[str, str]) -> tuple[Finding, ...]:
        errand = self.errand
        return every_platform_passed(
            self.release.layout, self.farm, self.actions, errand.sigstore, came,
            elsewhere.done_here(self.journal),
        )  # fmt: skip

    @property
    def runs(self) -> list[dict[str, object]]:
        found: list[dict[str, object]] = self.store.load("steps", {})["runs"]
        return found


@pytest.fixture
def asking(
    lasting: Addresses, a_release: Builds, request: pytest.FixtureRequest, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Asking:  # fmt: skip
    monkeypatch.setenv("GITHUB_TOKEN_OF_TEST", hub.SECRETS["github"])
    store = lasting.store
    store.save("faults", {})
    store.save("steps", {**store.load("steps", {"runs": []}), "polls": 0, "works": False})
    release = a_release("3.13.6")
    farm = Farm(engine=Engine.GITHUB, platforms=(FIRST,), tests=SourceTest.QUICK)
    sums = {path.name: sha256(path.name.encode()).hexdigest() for path in release.layout.tarballs}
    # An action of this test alone, so that no attestation of another test is about it.
    commit = sha256(request.node.nodeid.encode()).hexdigest()[:40]
    actions = elsewhere.actions(release, farm, sums, commit=commit)
    clock = FixedClock(datetime.now(UTC))
    journal = Journal(tmp_path / "journal.jsonl", clock)
    return Asking(release, lasting, farm, actions, clock, journal, Heard())


def test_what_was_asked_for_runs_is_attested_and_counts(asking: Asking) -> None:
    asking = asking.on(FIRST, SECOND)
    assert elsewhere.look_asked(asking.errand, asking.clock).state is RemoteState.ABSENT
    facts = asking.start()
    probe = elsewhere.look_asked(asking.errand, asking.clock)
    assert (probe.state, probe.facts) == (RemoteState.IDENTICAL, facts)
    assert facts == {action.platform: action.digest for action in asking.actions}
    came = asking.to_the_end()
    assert came == {FIRST: PASSED, SECOND: PASSED}
    found = asking.judged(came)
    assert [each.severity for each in found] == [Severity.NOTE, Severity.NOTE]
    assert found[0].message.startswith(
        "passed make test (44 tests), attested by python/release-tools in"
        " https://github.com/python/release-tools/actions/runs/"
    )
    (inputs,) = {each["inputs"]["owner"] for each in asking.runs[-2:]}  # type: ignore[index]
    assert inputs == "rm"
    told = [each for each in asking.journal.entries() if each["event"] == "elsewhere"]
    assert {each["platform"] for each in told} == {FIRST, SECOND}
    assert all("/actions/runs/" in each["run"] for each in told)
    kept = bundle_file(asking.release.layout, asking.actions[0]).parent / "result" / "tests.json"
    assert json.loads(kept.read_bytes())["python"] == "3.13.6"


def test_a_plan_shows_every_run_that_would_be_asked_for_and_asks_for_none(asking: Asking) -> None:
    asking = asking.on(FIRST, SECOND)
    runs, acts = len(asking.store.load("steps", {})["runs"]), []

    def hold_back(act: Act) -> bool:
        acts.append(act.what)
        return False

    with heard_by(hold_back, held=True):
        asking.start()
    assert len(acts) == 2
    assert all(each.startswith("POST ") and "pep101-step.yml/dispatches" in each for each in acts)
    assert len(asking.runs) == runs
    assert not asking.release.layout.elsewhere.exists()


def test_a_second_release_manager_adopts_what_is_there_and_asks_for_nothing(
    asking: Asking, tmp_path: Path
) -> None:
    asking.start()
    first = asking.to_the_end()
    layout = replace(asking.release.layout, work=tmp_path / "another")
    other = replace(asking, release=replace(asking.release, layout=layout))
    runs = len(asking.runs)
    assert elsewhere.look_asked(other.errand, other.clock).state is RemoteState.IDENTICAL
    assert other.start() == asking.start()
    assert other.follow() == first
    assert len(asking.runs) == runs
    assert other.judged(first)[0].severity is Severity.NOTE


def test_a_run_that_somebody_else_asked_for_is_waited_for_and_not_asked_for_again(
    asking: Asking, tmp_path: Path
) -> None:
    asking.start()
    layout = replace(asking.release.layout, work=tmp_path / "another")
    other = replace(asking, release=replace(asking.release, layout=layout))
    runs = len(asking.runs)
    other.start()
    assert len(asking.runs) == runs
    assert other.to_the_end() == {FIRST: PASSED}


WORD = "no attestation of it counts"
PLACE = "https://github.com/python/release-tools/.github/workflows"


REFUSED: Final = (
        ("steps.lost", "", "the run that was asked for does not exist"),
        ("steps.cancelled", "", "cancelled, https://github.com/"),
        ("steps.fails", "", "failure, https://github.com/"),
        ("steps.other_workflow", "", f"{WORD}: was made by {PLACE}/other.yml@refs/heads/main"),
        ("steps.other_repository", "",
         f"{WORD}: its certificate does not say GitHubWorkflowRepository python/release-tools"),
        ("steps.other_trigger", "", f"{WORD}: its certificate does not say OIDCBuildTrigger"),
        ("steps.self_hosted", "", f"{WORD}: its certificate does not say OIDCRunnerEnvironment"),
        ("sigstore.certificate_ahead", "", "not confirm it: its certificate is good from"),
        ("steps.other_action", "", f"{WORD}: is of another action"),
        ("steps.queued", "13", "not done within 12 hours"),
)  # fmt: skip
"""Faults of a run whatever it does, with what is said of each."""


@pytest.mark.parametrize(
    ("fault", "argument", "message"),
    [*REFUSED, ("steps.other_bytes", "", "holds other files than it attests")],
)
def test_what_does_not_count_stops_with_what_is_missing_and_the_remedy_works(
    asking: Asking, fault: str, argument: str, message: str,
    observed: Callable[[str, str], None],
) -> None:  # fmt: skip
    asking.store.order_fault(fault, argument=argument)
    asking.start()
    with pytest.raises(StepFailed) as caught:
        asking.to_the_end()
    said = str(caught.value)
    observed(fault, said)
    assert message in said
    assert not bundle_file(asking.release.layout, asking.actions[0]).exists()
    asking.follow_the_remedy(said)
    assert asking.to_the_end() == {FIRST: PASSED}


def test_what_failed_may_be_run_again_at_github(asking: Asking) -> None:
    asking.store.order_fault("steps.fails")
    asking.start()
    with pytest.raises(StepFailed, match="run its jobs again there, then this command"):
        asking.to_the_end()
    asking.post("rerun")
    assert asking.to_the_end() == {FIRST: PASSED}


def test_expired_files_leave_the_attestation_and_the_gate_says_so(asking: Asking) -> None:
    asking.store.order_fault("steps.expired")
    asking.start()
    came = asking.to_the_end()
    (finding,) = asking.judged(came)
    assert (finding.severity, came) == (Severity.NOTE, {FIRST: PASSED})
    assert finding.message.endswith("its result files are no longer available")


@pytest.mark.parametrize("kept", ["[" * 100_000, "null", '{{"{digest}": 5}}'])
def test_a_hint_that_is_none_is_as_if_it_was_lost(asking: Asking, kept: str) -> None:
    (action, *_) = asking.errand.actions
    file = asking.release.layout.elsewhere / "runs.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(kept.format(digest=action.digest))
    assert elsewhere.look_asked(asking.errand, asking.clock).state is RemoteState.ABSENT


def test_a_rate_limit_is_said_and_nothing_is_asked_for_twice(asking: Asking) -> None:
    asking.start()
    asking.store.order_fault("github.rate_limited")
    with pytest.raises(ReleaseError, match="limit"):
        asking.follow()
    assert asking.to_the_end() == {FIRST: PASSED}


def test_waiting_says_who_tests_where_and_since_when(asking: Asking) -> None:
    asking = asking.on(FIRST, SECOND)
    asking.store.order_fault("steps.never", argument=SECOND)
    asking.start()

    def one_is_done() -> bool:
        with pytest.raises(Waiting) as caught:
            asking.follow()
        return "1 of 2 platforms" in str(caught.value)

    assert comes_true(one_is_done, look_s=0.2)
    with pytest.raises(Waiting) as caught:
        asking.follow()
    assert f"{SECOND} queued" in caught.value.problem
    assert "https://github.com/python/release-tools/actions/runs/" in caught.value.remedy
    (line,) = caught.value.details
    assert "asked for at 20" in line


def test_a_platform_that_never_comes_has_to_be_waived_where_this_machine_steps_in(
    asking: Asking,
) -> None:
    asking = asking.on(FIRST, SECOND, then=Then.HERE, tests=SourceTest.NONE)
    for platform in (FIRST, SECOND):
        asking.store.order_fault("steps.never", argument=platform)
        asking.on(platform).start()
    asking.clock.time += timedelta(hours=13)
    came = asking.follow(here=FIRST)
    assert came == {FIRST: PASSED, SECOND: NOBODY}
    assert here_file(asking.release.layout, asking.actions[0]).exists()
    note, missing = asking.judged(came)
    assert (note.severity, note.message) == (Severity.NOTE, "passed on this machine")
    assert (missing.rule, missing.severity) == ("tests.platform", Severity.BLOCK)
    assert missing.remedy == "test them there by hand, then waive tests.platform"
    waiver = Waiver("tests.platform", "tested by hand", "rm", date(2026, 12, 1))
    assert blocking([missing], [waiver]) == ()


def test_a_file_that_says_that_this_machine_tested_is_not_believed_alone(asking: Asking) -> None:
    asking = asking.on(FIRST, then=Then.HERE, tests=SourceTest.NONE)
    asking.store.order_fault("steps.never", argument=FIRST)
    asking.start()
    (action,) = asking.actions
    file = here_file(asking.release.layout, action)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(action.to_bytes())
    (finding,) = asking.judged({FIRST: PASSED})
    assert (finding.rule, finding.severity) == ("tests.unproven", Severity.BLOCK)
    assert finding.message.endswith("done here; earlier versions kept no other proof")
    assert finding.remedy == "doit forget await_tests, then the same command: it is tested again"
    with pytest.raises(Waiting):  # its remedy asks for it again
        asking.follow(here=FIRST)
    asking.clock.time += timedelta(hours=13)
    assert asking.judged(asking.follow(here=FIRST))[0].severity is Severity.NOTE


def test_a_kept_attestation_that_was_changed_or_deleted_shuts_the_gate(asking: Asking) -> None:
    asking.start()
    came = asking.to_the_end()
    file = bundle_file(asking.release.layout, asking.actions[0])
    good = file.read_bytes()
    file.write_bytes(good.replace(b'"', b"'", 1))
    assert asking.judged(came)[0].rule == "tests.unproven"
    file.unlink()
    (finding,) = asking.judged(came)
    assert (finding.rule, finding.severity) == ("tests.unproven", Severity.BLOCK)
    assert asking.follow() == came  # its remedy
    assert asking.judged(came)[0].severity is Severity.NOTE


def test_an_action_of_other_bytes_or_another_platform_has_another_digest(asking: Asking) -> None:
    (action,) = asking.actions
    others = [
        replace(action, platform=SECOND), replace(action, step_version=2),
        replace(action, inputs={**action.inputs, "Python-3.13.6.tgz": "0" * 64}),
        replace(action, params={**action.params, "level": "full"}),
    ]  # fmt: skip
    assert len({each.digest for each in (action, *others)}) == 5


def test_a_result_of_an_earlier_attempt_is_the_one_that_counts_if_that_was_attested(
    asking: Asking, tmp_path: Path
) -> None:
    """All jobs of a run are run again, and fail: what it attested before is still true."""
    asking.start()
    asking.to_the_end()
    earlier = asking.store.folder / "steps" / str(asking.runs[-1]["id"])
    asking.post("rerun")
    shutil.copytree(earlier.with_name(f"{earlier.name}.0") / "result", earlier / "result")
    (earlier / "other_bytes").touch()
    machines = asking.errand.machines
    assert len(machines.artifacts(int(asking.runs[-1]["id"]))) == 2  # type: ignore[call-overload]
    layout = replace(asking.release.layout, work=tmp_path / "another")
    other = replace(asking, release=replace(asking.release, layout=layout))
    assert other.follow() == {FIRST: PASSED}
