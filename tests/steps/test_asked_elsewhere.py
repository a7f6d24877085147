"""Runs elsewhere that are asked for once: refused, cut off, answered late, not listed yet."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import NothingDone, ServiceFailed, StepFailed, Waiting
from doit_receipts.probe import RemoteState
from plugins.model.action import PASSED
from plugins.model.secret import Secret
from plugins.services.github_machines import GitHubMachines
from plugins.steps import elsewhere
from tests.steps.test_elsewhere import FIRST, Asking, asking, lasting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plugins.ports.machines import Machines
    from plugins.steps.errand import Found

__all__ = ["asking", "lasting"]


def test_a_dispatch_that_was_taken_and_answered_500_is_found_again(asking: Asking) -> None:
    asking.store.order_fault("github.500_after_write")
    runs = len(asking.store.load("steps", {"runs": []})["runs"])
    with pytest.raises(ServiceFailed, match="500"):
        asking.start()
    assert elsewhere.look_asked(asking.errand, asking.clock).state is RemoteState.IDENTICAL
    asking.start()
    assert len(asking.runs) == runs + 1
    assert asking.to_the_end() == {FIRST: PASSED}


def test_a_dispatch_that_was_taken_and_answered_500_waits_for_the_list_before_a_second(
    asking: Asking,
) -> None:
    asking.store.order_fault("github.500_after_write")
    asking.store.order_fault("steps.unlisted", argument="4")
    runs = len(asking.store.load("steps", {"runs": []})["runs"])
    with pytest.raises(ServiceFailed, match="500"):
        asking.start()
    for _ in range(2):
        assert elsewhere.look_asked(asking.errand, asking.clock).state is RemoteState.IDENTICAL
        asking.start()
    assert asking.to_the_end() == {FIRST: PASSED}
    assert len(asking.runs) == runs + 1


class Killed(BaseException):
    """The process ends here."""


class Deadly(GitHubMachines):
    """A GitHub that takes a request, and whose answer nobody is there to hear."""

    def dispatch(self, inputs: Mapping[str, str]) -> int:
        super().dispatch(inputs)
        raise Killed


def test_killed_before_the_id_is_kept_it_waits_for_the_list_before_a_second(
    asking: Asking,
) -> None:
    asking.store.order_fault("steps.unlisted", argument="3")
    runs = len(asking.store.load("steps", {"runs": []})["runs"])
    token = Secret("env:GITHUB_TOKEN_OF_TEST")
    deadly = Deadly(
        asking.world["github"], asking.farm.repository, token,
        workflow=asking.farm.workflow, ref=asking.farm.ref,
    )  # fmt: skip
    with pytest.raises(Killed):
        elsewhere.start(
            replace(asking.errand, machines=deadly), asking.clock, asking.progress, owner="rm"
        )
    asking.start()
    asking.start()
    assert asking.to_the_end() == {FIRST: PASSED}
    assert len(asking.runs) == runs + 1


@pytest.mark.parametrize("fault", ["github.rate_limited", "github.secondary_limit"])
def test_a_refused_dispatch_started_nothing_and_is_asked_for_again_at_once(
    asking: Asking, fault: str
) -> None:
    runs = len(asking.store.load("steps", {"runs": []})["runs"])
    looked = asking.errand.look()
    asking.store.order_fault(fault)
    machines = Looked(asking.errand.machines, looked)
    with pytest.raises(NothingDone, match="start pep101"):
        elsewhere.start(
            replace(asking.errand, machines=machines), asking.clock, asking.progress,  # type: ignore[arg-type]
            owner="rm",
        )  # fmt: skip
    assert len(asking.store.load("steps", {"runs": []})["runs"]) == runs
    assert elsewhere.look_asked(asking.errand, asking.clock).state is RemoteState.ABSENT
    asking.start()
    assert len(asking.runs) == runs + 1


class Looked:
    """Machines that were looked at already, so that the next request is the dispatch."""

    def __init__(self, machines: Machines, looked: tuple[Found, ...]) -> None:
        self.dispatch = machines.dispatch
        assert all(each.done is None and each.run is None for each in looked)

    def runs(self) -> tuple[()]:
        return ()

    def attestations(self, _sha256: str, _predicate_type: str) -> tuple[()]:
        return ()


class Lagging:
    """A GitHub that lists no run yet, and answers each request by 204."""

    asked = 0

    def dispatch(self, _inputs: dict[str, str]) -> int:
        self.asked += 1
        return 0

    def runs(self) -> tuple[()]:
        return ()

    def attestations(self, _sha256: str, _predicate_type: str) -> tuple[()]:
        return ()


def test_a_run_that_github_does_not_list_yet_is_asked_for_once(asking: Asking) -> None:
    github = Lagging()
    errand = replace(asking.errand, machines=github)  # type: ignore[arg-type]
    for _ in range(3):
        elsewhere.start(errand, asking.clock, asking.progress, owner="rm")
        assert elsewhere.look_asked(errand, asking.clock).state is RemoteState.IDENTICAL
    assert github.asked == 1
    asking.clock.time += timedelta(minutes=16)
    assert elsewhere.look_asked(errand, asking.clock).state is RemoteState.ABSENT


def test_two_runs_for_one_action_are_as_good_as_one(asking: Asking) -> None:
    asking.store.order_fault("steps.twice")
    asking.start()
    assert asking.to_the_end() == {FIRST: PASSED}
    assert [each["inputs"] for each in asking.runs[-2:]] == [asking.runs[-1]["inputs"]] * 2


def test_a_duplicate_that_somebody_cancels_leaves_the_run_that_goes_on(asking: Asking) -> None:
    """Two managers asked at once, and one of them tidies up: the newer run is the cancelled one."""
    asking.store.order_fault("steps.twice")
    asking.store.order_fault("steps.never", argument=FIRST)
    asking.start()
    asking.post("cancel")
    first, second = (str(each["id"]) for each in asking.runs[-2:])
    with pytest.raises(Waiting, match=f"watch .*/{first}, ") as caught:
        asking.follow()
    assert second not in str(caught.value)
    runs = len(asking.runs)
    assert elsewhere.look_asked(asking.errand, asking.clock).state is RemoteState.IDENTICAL
    asking.start()
    assert len(asking.runs) == runs


def test_jobs_that_are_run_again_have_their_hours_from_then_on(asking: Asking) -> None:
    asking.store.order_fault("steps.queued", argument="20")
    asking.store.order_fault("steps.cancelled")
    asking.start()
    with pytest.raises(StepFailed, match="run its jobs again there"):
        asking.to_the_end()
    asking.store.save("steps", {**asking.store.load("steps", {}), "polls": 1000})
    asking.post("rerun")
    with pytest.raises(Waiting, match="0 of 1 platforms"):
        asking.follow()
