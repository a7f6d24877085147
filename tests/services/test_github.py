"""Tests of the GitHub service against the world's GitHub over real HTTP on loopback."""

from __future__ import annotations

import hashlib
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from doit_receipts.errors import ServiceFailed
from plugins.model.secret import Secret
from plugins.ports.github import BranchRule
from plugins.rehearsal import github as world
from plugins.rehearsal.store import ALWAYS, Store
from plugins.services.github import GitHub
from plugins.services.github_proposals import GitHubProposals
from tests.served import served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

TOKEN = "rehearsal-github-token"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "store")
    world.seed(made, "3.13", ("main", "3.12", "3.13"), pep=719)
    return made


@pytest.fixture
def api(store: Store) -> Iterator[str]:
    with served(world.app(store)) as address:
        yield address


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> Secret:
    monkeypatch.setenv("GITHUB_TOKEN_OF_TEST", TOKEN)
    return Secret("env:GITHUB_TOKEN_OF_TEST")


@pytest.fixture
def hub(api: str, token: Secret) -> GitHub:
    return GitHub(api, "python/cpython", token)


def test_open_issues_of_a_label_are_read_from_every_page(hub: GitHub, store: Store) -> None:
    known = store.load("github", {})
    many = [
        {"number": number, "title": f"Issue {number}", "labels": ["crowd", "3.13"], "state": "open"}
        for number in range(1000, 1230)
    ]
    closed = {"number": 2000, "title": "Closed", "labels": ["crowd"], "state": "closed"}
    request = {"number": 2001, "title": "A change", "labels": ["crowd"], "state": "open",
               "pull_request": {}}  # fmt: skip
    store.save("github", known | {"issues": [*many, closed, request]})
    found = hub.open_issues("crowd")
    assert [each.number for each in found] == list(range(1000, 1230))
    assert found[0].labels == ("3.13", "crowd")
    assert hub.open_issues("crowd", "3.12") == ()


def test_labels_are_put_on_and_taken_off_any_number_of_times(hub: GitHub) -> None:
    for _ in range(2):
        hub.add_label(2, "release-blocker")
        hub.remove_label(2, "deferred-blocker")
    assert [each.number for each in hub.open_issues("release-blocker")] == [1, 2]
    assert hub.open_issues("deferred-blocker") == ()
    for _ in range(2):
        hub.make_label("needs backport to 3.14", "c2e0c6", "")
    assert hub.labels().count("needs backport to 3.14") == 1


def test_rules_are_read_back_as_they_were_written(hub: GitHub) -> None:
    rules = hub.rules("main")
    assert rules
    assert rules["enforce_admins"] is True
    assert hub.rules("3.14") is None
    hub.protect("3.14", rules)
    assert hub.rules("3.14") == rules
    for _ in range(2):
        hub.enforce_admins("3.14", on=False)
    assert hub.rules("3.14") == {**rules, "enforce_admins": False}
    for _ in range(2):
        hub.enforce_admins("3.14", on=True)
    assert hub.rules("3.14") == rules


def test_shape_that_github_tells_becomes_the_one_that_it_takes(hub: GitHub, store: Store) -> None:
    told: dict[str, Any] = {
        **store.load("protection", {})["main"],
        "restrictions": {
            "users": [{"login": "rm", "id": 1, "url": "https://x"}],
            "teams": [{"slug": "release-managers", "id": 2}],
            "apps": [],
        },
        "required_signatures": {"enabled": False},
    }
    store.save("protection", {"main": told})
    found = hub.rules("main")
    assert found
    assert found["restrictions"] == {"users": ["rm"], "teams": ["release-managers"], "apps": []}
    assert "required_signatures" not in found


def test_pull_requests_are_found_by_base_and_label(hub: GitHub, store: Store) -> None:
    (found,) = hub.open_pulls("3.12", "release-blocker")
    assert (found.number, found.title) == (4, "gh-1: Refuse spam")
    assert found.url == "https://github.com/python/cpython/pull/4"
    assert hub.open_pulls("3.13", "release-blocker") == ()
    known = store.load("github", {})
    many = [{"number": number, "title": "x", "labels": ["a b"], "state": "open", "base": "main"}
            for number in range(1000, 1230)]  # fmt: skip
    store.save("github", known | {"issues": many})
    assert [each.number for each in hub.open_pulls("main", "a b")] == list(range(1000, 1230))


def test_search_that_was_not_finished_is_no_answer(hub: GitHub, store: Store) -> None:
    store.order_fault("github.search_incomplete")
    with pytest.raises(ServiceFailed, match="GitHub did not search everything"):
        hub.open_pulls("3.12", "release-blocker")


def test_oldest_pull_request_of_a_user_is_found(hub: GitHub, store: Store) -> None:
    """Of closed ones as well; a search that was cut short is an answer only if it found one."""
    known = store.load("github", {})
    many = [{"number": number, "title": "x", "labels": [], "state": "closed", "base": "3.13",
             "user": "bot"} for number in range(1000, 1230)]  # fmt: skip
    store.save("github", known | {"issues": [*known["issues"], *many]})
    found = hub.first_pull("3.13", "bot")
    assert found is not None
    assert found.number == 1000
    store.order_fault("github.search_incomplete", times=2)
    assert hub.first_pull("3.13", "bot") == found
    with pytest.raises(ServiceFailed, match="GitHub did not search everything"):
        hub.first_pull("3.14", "bot")
    assert hub.first_pull("3.14", "bot") is None


def test_ci_of_a_commit_is_read(hub: GitHub, store: Store) -> None:
    commit = "c" * 40
    (run,) = hub.runs_of("build.yml", commit)
    assert (run.commit, run.conclusion) == (commit, "success")
    assert hub.runs_of("other.yml", commit) == ()
    store.order_fault("ci.base_red", argument="timed_out")
    assert [each.conclusion for each in hub.runs_of("build.yml", commit)] == ["timed_out"]
    store.order_fault("ci.base_running")
    assert [each.conclusion for each in hub.check_runs(commit)] == [""]
    store.order_fault("ci.base_untested", times=2)
    assert hub.runs_of("build.yml", commit) == ()
    assert hub.check_runs(commit) == ()


def test_rulesets_are_read_with_whether_we_may_pass_them(hub: GitHub, store: Store) -> None:
    assert hub.rulesets("3.13") == ()
    store.save("rulesets", [
        {"id": 1, "branches": ["3.13"], "rules": ["pull_request"], "bypass": "always"},
        {"id": 2, "branches": [], "rules": ["deletion"], "bypass": "pull_requests_only"},
        {"id": 3, "branches": ["main"], "rules": ["update"], "bypass": "never"},
    ])  # fmt: skip
    assert hub.rulesets("3.13") == (
        BranchRule("pull_request", "python/cpython #1", passed=True),
        BranchRule("deletion", "python/cpython #2", passed=False),
    )


def test_rulesets_of_tags_are_read_by_the_names_that_they_are_about(
    hub: GitHub, store: Store
) -> None:
    assert hub.tag_rules("v3.13.6") == ()
    of = {"branches": [], "bypass": "never"}
    store.save("rulesets", [
        {**of, "id": 1, "tags": ["refs/tags/v*"], "rules": ["creation", "update"]},
        {**of, "id": 2, "tags": ["~ALL"], "rules": ["deletion"], "bypass": "always"},
        {**of, "id": 3, "tags": ["~ALL"], "not": ["refs/tags/v3.13.*"], "rules": ["creation"]},
        {**of, "id": 4, "tags": ["refs/tags/v2.*"], "rules": ["creation"]},
        {**of, "id": 5, "tags": ["~ALL"], "rules": ["creation"], "enforcement": "evaluate"},
        {**of, "id": 6, "branches": ["v3.13.6"], "rules": ["creation"]},
        {**of, "id": 7, "tags": ["refs/tags/**/*"], "rules": ["tag_name_pattern"]},
        {**of, "id": 8, "tags": ["refs/*"], "rules": ["creation"]},
    ])  # fmt: skip
    assert hub.tag_rules("v3.13.6") == (
        BranchRule("creation", "python/cpython #1", passed=False),
        BranchRule("update", "python/cpython #1", passed=False),
        BranchRule("deletion", "python/cpython #2", passed=True),
        BranchRule("tag_name_pattern", "python/cpython #7", passed=False),
    )
    # and branches are no matter of theirs
    assert {each.ruleset for each in hub.rulesets("v3.13.6")} == {"python/cpython #6"}


def test_ruleset_of_tags_counts_though_the_list_names_no_target(hub: GitHub, store: Store) -> None:
    """GitHub's example of the list has no target, and the word "enabled" for one that holds."""
    store.save("rulesets", [
        {"branches": [], "bypass": "never", "id": 1, "tags": ["~ALL"], "rules": ["creation"],
         "enforcement": "enabled", "hidden": ["target"]},
        {"branches": [], "bypass": "never", "id": 2, "tags": ["~ALL"], "rules": ["creation"],
         "enforcement": "disabled", "hidden": ["target"]},
    ])  # fmt: skip
    assert [each.ruleset for each in hub.tag_rules("v3.13.6")] == ["python/cpython #1"]


def test_rights_are_those_of_the_tokens_user(hub: GitHub, store: Store) -> None:
    assert {"push", "admin"} <= hub.rights()
    store.save("github", store.load("github", {}) | {"permissions": {"pull": True, "push": False}})
    assert hub.rights() == frozenset({"pull"})


def test_run_goes_from_dispatch_to_artifacts(hub: GitHub, store: Store, tmp_path: Path) -> None:
    store.save(
        "ci", store.load("ci", {}) | {"polls": 1, "files": {"source": {"a.txt": "A", "b.txt": "B"}}}
    )
    number = hub.dispatch("build-release.yml", "main", {"cpython_release": "3.13.6"})
    assert [each.id for each in hub.runs("build-release.yml")] == [number]
    assert hub.runs("other.yml") == ()
    assert hub.run(number).conclusion == ""
    assert hub.run(number).conclusion == "success"
    assert {each.conclusion for each in hub.jobs(number)} == {"success"}
    (artifact,) = hub.artifacts(number)
    file = tmp_path / "ci" / "source.zip"
    digest = hub.download(artifact, file)
    assert digest == artifact.content.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert zipfile.ZipFile(file).read("a.txt") == b"A"


def test_wrong_token_is_told_and_not_shown(api: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN_OF_TEST", "canary-4711")
    hub = GitHub(api, "python/cpython", Secret("env:GITHUB_TOKEN_OF_TEST"))
    with pytest.raises(ServiceFailed, match="Bad credentials") as told:
        hub.open_issues("release-blocker")
    assert "check that the secret in [credentials] is right" in told.value.remedy
    assert "canary" not in repr(hub) + str(told.value) + str(told.value.details)


def test_hourly_limit_is_not_asked_again(hub: GitHub, store: Store) -> None:
    store.order_fault("github.rate_limited")
    with pytest.raises(ServiceFailed, match="rate limit exceeded") as told:
        hub.open_issues("release-blocker")
    assert "in an hour" in told.value.remedy


@pytest.mark.parametrize("fault", ["github.secondary_limit", "github.500"])
def test_stumble_is_waited_for(hub: GitHub, store: Store, fault: str) -> None:
    store.order_fault(fault)
    assert hub.open_issues("release-blocker")


def test_server_that_stays_down_is_told(hub: GitHub, store: Store) -> None:
    store.order_fault("github.500", times=ALWAYS)
    with pytest.raises(ServiceFailed, match="list issues: answered 500: Server Error"):
        hub.open_issues("release-blocker")


def test_dispatch_is_asked_once(hub: GitHub, store: Store) -> None:
    store.order_fault("github.500_after_write", times=ALWAYS)
    with pytest.raises(ServiceFailed):
        hub.dispatch("build-release.yml", "main", {})
    assert len(store.load("ci", {})["runs"]) == 1


def test_nobody_there_is_told_without_a_traceback(token: Secret) -> None:
    with pytest.raises(ServiceFailed, match="cannot be reached"):
        GitHub("http://127.0.0.1:9", "python/cpython", token).rights()


def test_proposal_is_one_pull_request_whatever_happened_before(
    api: str, token: Secret, store: Store
) -> None:
    proposals = GitHubProposals(api, "python/peps", token, head="rm/peps")
    assert proposals.pull("release-3.13.6") is None
    assert proposals.may_propose()
    before = proposals.text("peps/pep-0719.rst")
    assert before
    files = {"peps/pep-0719.rst": before + b"- 3.13.6\n", "new.txt": b"new\n"}
    store.order_fault("github.500_after_write", times=4)
    for _ in range(4):
        with pytest.raises(ServiceFailed):
            proposals.propose("release-3.13.6", files, "Dates", "")
        is_whole = all(proposals.text(each, "release-3.13.6") == files[each] for each in files)
        assert is_whole or store.load("github", {})["pulls"] == []
    made = proposals.propose("release-3.13.6", files, "Dates", "")
    assert made == proposals.pull("release-3.13.6")
    assert len(store.load("github", {})["pulls"]) == 1
    assert proposals.text("new.txt", "release-3.13.6") == b"new\n"
    assert proposals.text("peps/pep-0719.rst") == before
    assert (made.state, made.number) == ("open", 100)


def test_file_that_is_read_late_is_looked_for_again(api: str, token: Secret, store: Store) -> None:
    proposals = GitHubProposals(api, "python/peps", token, head="rm/peps")
    store.order_fault("github.late_read", times=2)
    files = {"peps/pep-0719.rst": b"- 3.13.6\n", "new.txt": b"new\n"}
    proposals.propose("release-3.13.6", files, "Dates", "")
    assert len(store.load("github", {})["pulls"]) == 1


class TakenBack(dict[str, bytes]):
    """Files; when the last one was taken from it, somebody does something, once."""

    def __init__(self, files: Mapping[str, bytes], *then: Callable[[], None]) -> None:
        super().__init__(files)
        self._then = list(then)

    def items(self) -> Any:
        yield from super().items()
        while self._then:
            self._then.pop()()


@pytest.mark.parametrize("left", [None, "theirs\n"], ids=["gone", "another"])
@pytest.mark.parametrize("path", ["peps/pep-0719.rst", "new.txt"])
def test_nobody_is_asked_to_take_a_branch_that_lacks_a_file(
    api: str, token: Secret, store: Store, path: str, left: str | None
) -> None:
    """Somebody else writes to our branch while it is made; then the remedy is followed."""
    proposals = GitHubProposals(api, "python/peps", token, head="rm/peps", attempts=2)
    branch = "release-3.13.6"
    files = {"peps/pep-0719.rst": b"- 3.13.6\n", "new.txt": b"new\n"}

    def meddle() -> None:
        known = store.load("github", {})
        texts = known["branches"][f"rm/peps:{branch}"]
        texts = {**texts, path: left} if left else {k: v for k, v in texts.items() if k != path}
        branches = {**known["branches"], f"rm/peps:{branch}": texts}
        store.save("github", {**known, "branches": branches})

    with pytest.raises(ServiceFailed, match=f"{path} was written to that branch, and is") as told:
        proposals.propose(branch, TakenBack(files, meddle), "Dates", "")
    assert "find out who else writes to it" in told.value.remedy
    assert store.load("github", {})["pulls"] == []
    proposals.propose(branch, files, "Dates", "")
    assert {each: proposals.text(each, branch) for each in files} == files
    assert len(store.load("github", {})["pulls"]) == 1


def test_all_files_of_main_are_listed(api: str, token: Secret) -> None:
    proposals = GitHubProposals(api, "python/peps", token)
    assert "peps/pep-0719.rst" in proposals.paths()
    assert proposals.pinned().paths() == proposals.paths()
    with pytest.raises(ServiceFailed, match="Not Found"):
        GitHubProposals(api, "python/nothing", token).paths()


def test_branch_of_a_proposal_begins_at_the_commit_that_was_read(
    api: str, token: Secret, store: Store
) -> None:
    """Others merge a change between the look and the branch: it is no part of the proposal."""
    now = GitHubProposals(api, "python/peps", token, head="rm/peps")
    held = now.pinned()
    path = "peps/pep-0719.rst"
    known = store.load("github", {})
    read = known["texts"][f"python/peps/{path}"]
    merged = {**known["texts"], f"python/peps/{path}": f"theirs\n{read}", "python/peps/x": "y"}
    store.save("github", {**known, "texts": merged})
    assert held.text(path) == read.encode()
    assert held.text("x") is None
    held.propose("release-3.13.6", {path: f"{read}ours\n".encode()}, "Dates", "")
    assert now.text(path, "release-3.13.6") == f"{read}ours\n".encode()
    assert now.text("x", "release-3.13.6") is None
    assert now.text("x") == b"y"


def test_accepted_advisories_are_counted_and_never_shown(
    hub: GitHub, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    assert hub.accepted_advisories() == 0
    store.order_fault("github.advisories", times=ALWAYS, argument="130")  # more than a page
    assert hub.accepted_advisories() == 130
    happened = (store.folder / "happened.jsonl").read_text()
    assert "nobody may hear of" not in happened + caplog.text


def test_advisories_that_the_account_may_not_see_are_none_and_a_limit_is_an_error(
    hub: GitHub, store: Store
) -> None:
    known = store.load("github", {})
    store.save("github", {**known, "permissions": {"pull": True, "admin": False}})
    assert hub.accepted_advisories() is None
    store.order_fault("github.rate_limited", times=ALWAYS)
    with pytest.raises(ServiceFailed):
        hub.accepted_advisories()
