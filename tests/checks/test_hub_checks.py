"""Tests of the checks of blockers and rights, each as it passes, blocks and cannot look."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from checks import access, base_commit, blockers
from doit_receipts.errors import ServiceFailed
from doit_receipts.finding import Severity
from plugins.ports.git import Commit, Identity, Tag
from plugins.ports.github import BranchRule, Issue, Job, Run
from plugins.rehearsal.toy_cpython import make_toy
from plugins.services.git_base import GitBase
from plugins.services.git_remote import GitRemote
from plugins.services.programs import MachinePrograms
from tests.source_world import NOON

if TYPE_CHECKING:
    from doit_receipts.finding import Finding
    from tests.conftest import Builds


class Told:
    """Every port of the hub, saying what a test wants; an error is raised."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def __repr__(self) -> str:
        return "told"

    def _say(self, *_words: object, **_named: object) -> Any:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer

    open_issues = rights = rules = user = log_in = text = category_name = _say
    rulesets = runs_of = commit = accepted_advisories = may_propose = _say

    def open_pulls(self, *_words: object) -> Any:
        return self._say() if isinstance(self._answer, Exception) else ()

    tag_rules = open_pulls

    def labels(self) -> tuple[str, ...]:
        return ("release-blocker", "Deferred-Blocker")


class TagRules(Told):
    """No rule is of a branch; these are of the tag."""

    def rulesets(self, *_words: object, **_named: object) -> Any:
        return ()

    def tag_rules(self, *words: object) -> Any:
        assert words == ("v3.13.6",)
        return self._answer


class BranchRules(Told):
    """No rule is of a tag; these are of the branches."""

    def rulesets(self, *words: object, **_named: object) -> Any:
        return self._answer.get(*words, ())

    def tag_rules(self, *_words: object) -> Any:
        return ()


class Unlabelled(Told):
    """A tracker in which nothing is open, with other labels."""

    def labels(self) -> tuple[str, ...]:
        return ("easy", "blocker")


class Pulls(Told):
    """A tracker without issues, whose pull requests are by the branch that they go into."""

    def open_issues(self, *_words: object, **_named: object) -> Any:
        return ()

    def open_pulls(self, *words: object) -> Any:
        return self._answer.get(words, ())


class CommitWith:
    """What CI says of the base commit."""

    def __init__(self, *runs: str, jobs: tuple[str, ...] = ()) -> None:
        self._runs, self._jobs = runs, jobs

    def commit(self) -> str:
        return "c" * 40

    def runs_of(self, workflow: str, commit: str) -> tuple[Run, ...]:
        assert (workflow, commit) == ("build.yml", self.commit())
        count = len(self._runs)
        return tuple(
            Run(count - at, "Tests", commit, each, f"https://github.com/run/{count - at}")
            for at, each in enumerate(self._runs)
        )

    def check_runs(self, commit: str) -> tuple[Job, ...]:
        assert commit == self.commit()
        return tuple(Job(f"job {at}", each, "") for at, each in enumerate(self._jobs))

    def tags(self) -> tuple[Tag, ...]:
        return ()


class Tagged:
    """What CI says of a base that is the tag of a release, and of the commits after it."""

    folder = Path("cpython")

    def __init__(self, *runs: str) -> None:
        self._runs = dict(zip("cde", runs, strict=False))
        self.asked: list[str] = []

    def commit(self) -> str:
        return "c" * 40

    def tags(self) -> tuple[Tag, ...]:
        return (Tag("v3.14.8", "t" * 40, self.commit(), NOON),)

    def later(self, commit: str, most: int) -> tuple[str, ...]:
        assert commit == self.commit()
        return tuple(each * 40 for each in [*self._runs][1:][:most])

    def about(self, commit: str) -> Commit:
        by = Identity("Rita Manager", "rm@example.org")
        return Commit(commit, "", (), "Post 3.14.8\n", by, NOON)

    def runs_of(self, _workflow: str, commit: str) -> tuple[Run, ...]:
        self.asked.append(commit[0])
        found = self._runs[commit[0]]
        return (Run(1, "Tests", commit, found, "https://github.com/run/1"),) if found else ()

    def check_runs(self, _commit: str) -> tuple[Job, ...]:
        return ()


DOWN = ServiceFailed(service="github", action="look", problem="status 500")


def issue(*labels: str) -> Issue:
    return Issue(1, "Spam", "https://example.org/1", labels)


def severities(found: tuple[Finding, ...]) -> list[tuple[str, Severity]]:
    return [(each.rule, each.severity) for each in found]


@pytest.mark.parametrize(("labels", "count"), [(("3.13",), 1), ((), 1), (("3.12", "3.14"), 0)])
def test_blocker_blocks_its_own_series_and_everyone_if_it_names_none(
    a_release: Builds, labels: tuple[str, ...], count: int
) -> None:
    found = blockers.no_release_blockers(a_release("3.13.6"), Told((issue(*labels),)))  # type: ignore[arg-type]
    assert severities(found) == [("blockers.release", Severity.BLOCK)] * count


def test_deferred_blockers_matter_from_the_first_candidate_on(a_release: Builds) -> None:
    hub: Any = Told((issue("3.14"),))
    assert blockers.no_deferred_blockers(a_release("3.14.0b4"), hub) == ()
    found = blockers.no_deferred_blockers(a_release("3.14.0rc1"), hub)
    assert severities(found) == [("blockers.deferred", Severity.BLOCK)]


def test_nothing_open_passes(a_release: Builds) -> None:
    hub: Any = Told(())
    assert blockers.no_release_blockers(a_release("3.14.0rc1"), hub) == ()
    assert blockers.no_deferred_blockers(a_release("3.14.0rc1"), hub) == ()


def test_label_that_the_tracker_does_not_have_says_nothing(a_release: Builds) -> None:
    """Asked for a label that was renamed, GitHub answers with an empty list and no error."""
    hub: Any = Unlabelled(())
    release = a_release("3.14.0rc1")
    for rule, judge in (
        ("blockers.release", blockers.no_release_blockers),
        ("blockers.deferred", blockers.no_deferred_blockers),
    ):
        (found,) = judge(release, hub)
        assert (found.rule, found.severity, found.where) == (rule, Severity.BLOCK, "told")
        label = f"{rule.partition('.')[2]}-blocker"
        assert found.message == f"the tracker has no label {label}, so nobody knows what blocks"
        assert found.remedy.startswith("rename the label back")
        assert judge(release, Told(())) == ()  # type: ignore[arg-type]
    assert blockers.no_deferred_blockers(a_release("3.14.0b4"), hub) == ()


def test_pull_request_blocks_the_release_of_its_base(a_release: Builds) -> None:
    """Each backport of a security fix is labelled so (devguide, PSRT), and names no series."""
    pull = Issue(4, "gh-1: Refuse \x1b[2Jspam", "https://example.org/pull/4", ())
    hub: Any = Pulls({("3.13", "release-blocker"): (pull,), ("main", "deferred-blocker"): (pull,)})
    (found,) = blockers.no_release_blockers(a_release("3.13.6"), hub)
    assert found.message == r"pull request 4 into 3.13: gh-1: Refuse \x1b[2Jspam"
    assert (found.severity, found.where) == (Severity.BLOCK, pull.url)
    assert blockers.no_release_blockers(a_release("3.12.9"), hub) == ()
    assert blockers.no_deferred_blockers(a_release("3.13.6"), hub) == ()


@pytest.mark.parametrize(
    ("version", "labels", "count"),
    [
        ("3.13.6", ("type-security", "needs backport to 3.13", "needs backport to 3.14"), 1),
        ("3.13.6", ("needs backport to 3.14",), 0),
        ("3.13.6", (), 0),
        ("3.16.0a1", ("needs backport to 3.13",), 1),
    ],
)
def test_pull_request_into_main_blocks_the_series_that_it_is_to_be_backported_to(
    version: str, labels: tuple[str, ...], count: int, a_release: Builds
) -> None:
    """Its backport, which would be of the branch, does not exist before it is merged."""
    pull = Issue(4, "gh-1: Refuse spam", "https://example.org/pull/4", labels)
    hub: Any = Pulls({("main", "release-blocker"): (pull,)})
    release = a_release(version)
    found = blockers.no_release_blockers(release, hub)
    assert severities(found) == [("blockers.release", Severity.BLOCK)] * count
    if release.branch != "main":
        assert all("into main, to be backported to 3.13:" in each.message for each in found)


@pytest.mark.parametrize(
    ("tested", "message"),
    [
        (CommitWith("success"), ""),
        (CommitWith("success", "failure"), ""),
        (CommitWith("cancelled", "success"), ""),
        (CommitWith(jobs=("success", "skipped", "neutral")), ""),
        (CommitWith("failure", "success"), "build.yml for cccccccccccc ended in failure"),
        (CommitWith("timed_out"), "build.yml for cccccccccccc ended in timed_out"),
        (CommitWith("", "success"), "build.yml for cccccccccccc is still running"),
        (CommitWith("cancelled", jobs=("success", "failure")), "job 1 for cccccccccccc ended in"),
        (CommitWith(jobs=("success", "")), "job 1 for cccccccccccc is still running"),
        (CommitWith(), "no run of build.yml and no check of upstream passed for this commit"),
        (
            CommitWith(jobs=("skipped",)),
            "no run of build.yml and no check of upstream passed for this commit",
        ),
    ],
)
def test_ci_has_to_be_green_on_the_very_base_commit(tested: Any, message: str) -> None:
    found = base_commit.base_commit_is_green(tested, tested)
    assert [each.rule for each in found] == ["ci.base_commit"] * bool(message)
    assert all(each.severity is Severity.BLOCK and message in each.message for each in found)


def test_base_that_is_a_release_is_judged_by_the_first_run_after_it() -> None:
    """Each push of a release ends with "Post X.Y.Z", so its commit has no run of its own."""
    green: Any = Tagged("", "", "success")
    (note,) = base_commit.base_commit_is_green(green, green)
    assert note.severity is Severity.NOTE
    assert "no push ended with v3.14.8" in note.message
    assert "eeeeeeeeeeee (Post 3.14.8)" in note.message
    red: Any = Tagged("", "failure", "success")
    note, block = base_commit.base_commit_is_green(red, red)
    assert (note.severity, block.severity) == (Severity.NOTE, Severity.BLOCK)
    assert block.message == "build.yml for dddddddddddd ended in failure"
    own: Any = Tagged("success", "failure")
    assert base_commit.base_commit_is_green(own, own) == ()
    assert own.asked == ["c"]


@pytest.mark.parametrize("later", [0, 1])
def test_release_without_a_run_of_its_own_or_after_it_blocks_with_what_helps(later: int) -> None:
    base: Any = Tagged("", *[""] * later)
    (found,) = base_commit.base_commit_is_green(base, base)
    assert found.severity is Severity.BLOCK
    assert "v3.14.8, or for one after it" in found.message
    assert found.remedy == (
        "git -C cpython fetch upstream, if the clone lacks the commits after v3.14.8; "
        "or have CI run for it: gh workflow run build.yml --ref v3.14.8"
    )


def test_ruleset_that_we_may_not_pass_blocks_and_one_that_breaks_nothing_does_not(
    a_release: Builds,
) -> None:
    release = a_release("3.13.6")

    def found(*rules: BranchRule) -> tuple[Finding, ...]:
        return access.no_ruleset_is_in_the_way(release, Told(rules))

    assert found(BranchRule("deletion", "python/cpython #1", passed=False)) == ()
    passed = found(BranchRule("pull_request", "python/cpython #1", passed=True))
    assert severities(passed) == [("access.rulesets", Severity.NOTE)]
    (refused,) = found(
        BranchRule("required_signatures", "python/cpython #1", passed=False),
        BranchRule("pull_request", "python/cpython #1", passed=False),
        BranchRule("non_fast_forward", "python/cpython #1", passed=False),
    )
    assert refused.severity is Severity.BLOCK
    assert "(pull_request, required_signatures), and your account may not bypass" in refused.message


def test_ruleset_of_the_new_branch_blocks_the_first_beta(a_release: Builds) -> None:
    """It is pushed with main, and a refused branch refuses both: the push is atomic."""
    made = BranchRule("creation", "python/cpython #1", passed=False)
    hub: Any = BranchRules({"3.15": [made]})
    (finding,) = access.no_ruleset_is_in_the_way(a_release("3.15.0b1"), hub)
    assert (finding.rule, finding.severity) == ("access.rulesets", Severity.BLOCK)
    assert (finding.where, "(creation)" in finding.message) == ("3.15", True)
    assert access.no_ruleset_is_in_the_way(a_release("3.15.0a7"), hub) == ()


def test_ruleset_of_tags_that_we_may_not_pass_blocks(a_release: Builds) -> None:
    """The tag is pushed at the end of the day, and a refused one would be a late surprise."""
    release = a_release("3.13.6")
    moves = [BranchRule(kind, "python/cpython #1", passed=False) for kind in ("update", "deletion")]
    assert access.no_ruleset_is_in_the_way(release, TagRules(moves)) == ()
    made = BranchRule("creation", "python/cpython #1", passed=False)
    (finding,) = access.no_ruleset_is_in_the_way(release, TagRules([*moves, made]))
    assert (finding.rule, finding.severity) == ("access.rulesets", Severity.BLOCK)
    assert (finding.where, "(creation)" in finding.message) == ("v3.13.6", True)


def test_checks_that_cannot_look_block(a_release: Builds) -> None:
    hub: Any = Told(DOWN)
    release = a_release("3.14.0rc1")
    found = [
        *blockers.no_release_blockers(release, hub),
        *blockers.no_deferred_blockers(release, hub),
        *access.github_lets_us_release(hub),
        *access.upstream_is_protected(release, hub),
        *access.mail_lets_us_in(hub, "rm@example.org"),
        *access.forum_lets_us_in(hub, 23),
        *access.blog_knows_author(hub, "Rita Manager"),
        *access.changes_can_be_proposed(hub),
        *access.no_ruleset_is_in_the_way(release, hub),
        *base_commit.base_commit_is_green(hub, hub),
    ]
    assert len(found) == 10
    assert {each.severity for each in found} == {Severity.BLOCK}


def test_rights_that_are_missing_are_named() -> None:
    assert access.github_lets_us_release(Told(frozenset({"push", "admin"}))) == ()  # type: ignore[arg-type]
    found = access.github_lets_us_release(Told(frozenset({"pull"})))  # type: ignore[arg-type]
    assert [each.message for each in found] == [
        "your account has no right to push",
        "your account has no right to admin",
    ]


def test_pull_request_that_cannot_be_opened_later_is_reported_in_the_morning() -> None:
    may, may_not = Told(answer=True), Told(answer=False)
    assert access.changes_can_be_proposed(may) == ()  # type: ignore[arg-type]
    found = access.changes_can_be_proposed(may_not)  # type: ignore[arg-type]
    assert severities(found) == [("access.proposals", Severity.WARN)]


def test_branch_without_protection_blocks(a_release: Builds) -> None:
    found = access.upstream_is_protected(a_release("3.14.0b1"), Told(None))  # type: ignore[arg-type]
    assert [each.where for each in found] == ["main", "3.13"]


def test_mail_without_a_sender_blocks_before_the_server_is_asked() -> None:
    found = access.mail_lets_us_in(Told(DOWN), "")  # type: ignore[arg-type]
    assert severities(found) == [("access.mail", Severity.BLOCK)]
    assert found[0].where == "[announce] sender"
    assert access.mail_lets_us_in(Told(None), "rm@example.org") == ()  # type: ignore[arg-type]


def test_push_is_tried_without_effect_and_a_remote_that_is_not_there_blocks(
    a_release: Builds, tmp_path: Path
) -> None:
    programs, release = MachinePrograms(), a_release("3.13.6")
    base = GitBase(make_toy(tmp_path), programs, branch="3.13")
    fork = GitRemote(str(tmp_path / "fork.git"), programs)
    assert access.pushes_would_be_taken(release, base, {"fork": fork}) == ()
    assert fork.refs("refs/tags/v3.13.6") == {"refs/tags/v3.13.6": ""}
    gone = GitRemote(str(tmp_path / "gone.git"), programs)
    (finding,) = access.pushes_would_be_taken(release, base, {"fork": fork, "upstream": gone})
    assert (finding.rule, finding.severity) == ("access.push", Severity.BLOCK)
    assert "gone.git" in finding.where


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, []),
        (1, [("is 1 accepted security advisory", Severity.WARN)]),
        (3, [("are 3 accepted advisories", Severity.WARN)]),
        (None, [("may not see security advisories", Severity.NOTE)]),
    ],
)
def test_accepted_advisories_are_counted_before_a_candidate_or_final(
    a_release: Builds, count: int | None, expected: list[tuple[str, Severity]]
) -> None:
    found = blockers.advisories_are_closed(a_release("3.13.6"), Told(count))
    assert [each.severity for each in found] == [severity for _, severity in expected]
    assert all(words in each.message for each, (words, _) in zip(found, expected, strict=True))
    assert blockers.advisories_are_closed(a_release("3.14.0b2"), Told(count)) == ()


def test_advisories_that_cannot_be_counted_block(a_release: Builds) -> None:
    error = ServiceFailed(service="github", action="count", problem="answered 500")
    (finding,) = blockers.advisories_are_closed(a_release("3.13.6"), Told(error))
    assert (finding.rule, finding.severity) == ("blockers.advisories", Severity.BLOCK)
