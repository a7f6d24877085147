"""The outline of the release: what dodo.py promises to whoever reads it."""

from __future__ import annotations

import dis
import inspect
import re
import subprocess
import sys
from functools import cache
from itertools import combinations
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING, Any, Final

import pytest

from checks import access
from docs.every_kind import a_declaration, every_plan
from doit_receipts.calls import resources_of
from doit_receipts.late import resolved
from doit_receipts.task import Effect, Kind
from plugins.steps import emails

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from doit_receipts.calls import Call
    from doit_receipts.plan import Plan
    from doit_receipts.task import Task

PROJECT: Final = Path(__file__).resolve().parents[1]
DODO: Final = PROJECT / "dodo.py"

# Names are public, so a task that begins with another verb is a choice to be made here.
VERBS: Final = {
    "announce", "approve", "ask", "await", "bless", "build", "bump", "check", "choose", "close",
    "commit", "compare", "copy", "date", "delete", "draft", "fetch", "flip", "find", "lift", "list",
    "lock", "mail", "make", "mark", "merge", "move", "open", "point", "post", "propose", "publish",
    "purge", "push", "put", "read", "record", "request", "reserve", "restore", "restrict", "retain",
    "save", "send", "set", "settle", "sign", "stage", "start", "switch", "tag", "take", "tell",
    "test", "unpack", "update", "upload", "verify", "wait", "warn", "write",
}  # fmt: skip

HEAVY: Final = ("git", "fabric", "gnupg", "httpx", "jinja2", "paramiko", "rich", "spdx_tools")

LOADING: Final = """\
import runpy, sys
from pathlib import Path
from plugins.command.release_file import RELEASE_FILE
RELEASE_FILE.set(Path(sys.argv[1]))
runpy.run_path("dodo.py")
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""
LISTING: Final = """\
import sys
from doit.doit_cmd import DoitMain
status = DoitMain().run(["list", "--status", "--release", sys.argv[1]])
print(*sorted({name.partition(".")[0] for name in sys.modules}))
sys.exit(status)
"""


@pytest.fixture(scope="module")
def plans() -> dict[str, Plan]:
    """The plan of each kind of release, by version."""
    return every_plan()


@pytest.fixture(scope="module")
def tasks(plans: dict[str, Plan]) -> dict[str, Task]:
    """Every task that any release has."""
    return {name: task for plan in plans.values() for name, task in plan.tasks.items()}


def test_every_name_is_a_verb_and_its_object(tasks: dict[str, Task]) -> None:
    """Groups are what people type, and one word each."""
    wrong = []
    for name, task in tasks.items():
        verb, *rest = name.split("_")
        if task.kind is Kind.GROUP:
            fits = not rest
        else:
            fits = verb in VERBS and re.fullmatch(r"[a-z]+(_[a-z]+)+", name) is not None
        if not fits:
            wrong.append(name)
    assert not wrong


def test_all_that_tasks_will_do_is_there_and_takes_its_arguments(plans: dict[str, Plan]) -> None:
    for plan in plans.values():
        plan.import_all()


def test_tasks_keep_one_another_waiting_only_for_what_one_of_them_changes(
    plans: dict[str, Plan],
) -> None:
    """Of those that may run at once: the world outside, and a clone that one of them writes."""
    clones = {"clone", "merge_clone"}
    for plan in plans.values():
        needs = {name: set(plan.needs(task)) for name, task in plan.tasks.items()}
        given = {name: resources_of(task.calls) for name, task in plan.tasks.items()}
        for one, other in combinations(plan.tasks, 2):
            if one in needs[other] or other in needs[one]:
                continue
            for resource in given[one].keys() & given[other].keys():
                alone = {
                    plan.tasks[name].effect for name in (one, other) if given[name][resource]
                } - {Effect.LOCAL, None}
                outside = "=" in resource  # it is named by a setting
                written = resource in clones and alone == {Effect.CLONE}
                assert not alone or outside or written, (one, other, resource)


def test_nobody_logs_in_while_gates_judge_again_and_what_they_sign_is_judged_before_it_is_public(
    plans: dict[str, Plan],
) -> None:
    """An identity token is good for less time than the gates before a signature take."""
    found = set()
    for version, plan in plans.items():
        for name, task in plan.tasks.items():
            given = resources_of(task.calls)
            if name.startswith("sign_") and any(each.startswith("signing.sig") for each in given):
                found.add(name)
                assert not task.signs, (version, name)
                # The closing archive stays here.
                assert name == "sign_archive" or any(
                    name in plan.needs(each) for each in plan.tasks.values() if each.is_public
                ), (version, name)
    assert found == {"sign_bundles", "sign_evidence", "sign_manifest", "sign_archive"}


def test_only_gates_of_what_is_public_pass_for_all_runs(plans: dict[str, Plan]) -> None:
    """They stand behind a page that users see, and read no file here."""
    for plan in plans.values():
        for name, task in plan.tasks.items():
            if task.of_published:
                assert name == "check_site"
                assert "publish_page" in plan.needs(task)
                assert not task.reads


def test_documentation_and_archives_are_made_side_by_side(plans: dict[str, Plan]) -> None:
    """Both are of the tag alone, and take longest."""
    plan = plans["3.13.6"]
    for made, beside in (("build_docs", "build_tarballs"), ("build_tarballs", "build_docs")):
        assert "make_tag" in plan.needs(plan.tasks[made])
        assert beside not in plan.needs(plan.tasks[made])


def test_every_task_has_one_sentence_that_ends_in_a_full_stop(tasks: dict[str, Task]) -> None:
    for name, task in tasks.items():
        assert re.fullmatch(r"[A-Z`][^\n]*\.", task.title), (name, task.title)
        assert not re.search(r"\. [A-Z]", task.title), (name, task.title)
        assert len(task.title) <= 90, (name, task.title)


def test_tasks_are_in_the_order_of_the_chapters(plans: dict[str, Plan]) -> None:
    for version, plan in plans.items():
        order = list(plan.project.chapters)
        of_steps = [each for each in plan.tasks.values() if each.kind is not Kind.GROUP]
        chapters = [order.index(each.chapter) for each in of_steps]
        assert chapters == sorted(chapters), version


def test_the_outline_is_short_enough_to_be_read() -> None:
    """What a reader opens first; how long a chapter may be, tests/test_floors.py says."""
    assert len(DODO.read_text(encoding="utf-8").splitlines()) < 100


# Emails to experts: they have an approval of their own, long before users see anything.
TO_EXPERTS: Final = {"warn_experts", "tell_experts", "request_windows"}


def test_no_email_goes_out_before_the_release_manager_approved_its_text(
    plans: dict[str, Plan],
) -> None:
    for plan in plans.values():
        for task in filter(_sends_an_email, plan.tasks.values()):
            approvals = {each for each in task.after if plan.tasks[each].who == "RM"}
            wanted = {"approve_heads_up", "approve_commit", "approve_announcement"}
            assert approvals & wanted, task.name


def test_the_key_of_approvals_is_looked_at_first_in_every_release(plans: dict[str, Plan]) -> None:
    """Approvals are OpenPGP signatures in each series (PEP 761 is about files)."""
    for version, plan in plans.items():
        is_of_files = "make_clone" in plan.tasks
        looks = plan.tasks["check_key" if is_of_files else "check_rights"]
        assert looks.kind is Kind.GATE, version
        assert "signing_key_is_usable" in str(looks.calls), version
        if is_of_files:
            assert "check_key" in plan.tasks["make_clone"].after, version


def test_each_repository_that_gets_a_pull_request_is_asked_for_the_right_in_the_morning(
    plans: dict[str, Plan],
) -> None:
    """Without it, the pull request fails in the night, when the release is public."""
    for version, plan in plans.items():
        calls = {name: task.calls for name, task in plan.tasks.items()}
        looked = [*calls.get("check_access", ()), *calls.get("check_rights", ())]
        asked = {
            id(each.arguments[0])
            for each in looked
            if resolved(each.function) is access.changes_can_be_proposed
        }
        for name, done in calls.items():
            for repository in _proposed_to(done):
                assert id(repository) in asked, (version, name)


def _proposed_to(calls: Iterable[Call]) -> Iterator[object]:
    """The repositories that get a pull request by one of these calls."""
    for each in calls:
        function = resolved(each.function)
        if not function.__name__.startswith("propose"):
            continue
        signature = inspect.signature(function)
        given = signature.bind(*each.arguments, **dict(each.named)).arguments
        for name, parameter in signature.parameters.items():
            if parameter.annotation == "Proposals" and name in given:
                yield given[name]


def test_what_works_on_several_cores_has_one_before_it_begins(plans: dict[str, Plan]) -> None:
    """Beside programs that take all that there are it would have more than the machine has.

    So would a foreign program that keeps a core busy for long: a make, pip, Sphinx.
    """
    hard = set()
    for version, plan in plans.items():
        for task in plan.tasks.values():
            functions = [each for call in task.calls for each in call.functions()]
            if any(map(_works_hard, functions)):
                assert "cores" in task.takes, (version, task.name)
                hard.add(task.name)
    assert hard >= {
        "check_base", "build_topics", "build_tarballs", "check_archives", "test_source",
        "check_docs", "build_sboms", "await_tests", "test_downloads",
    }  # fmt: skip


HARD: Final = frozenset({"some_cores", "jobs_of_make", "our_pip", "ProcessPoolExecutor"})
"""Who names one of these has a pool of its own, or starts a program that keeps a core busy."""


@cache
def _works_hard(function: Callable[..., object]) -> bool:
    """Whether the function does, or another one of ours that it comes to."""
    open_, seen = [resolved(function)], set()
    while open_:
        found = inspect.unwrap(open_.pop())
        if found in seen:
            continue
        seen.add(found)
        if inspect.isclass(found):
            open_ += [each for each in vars(found).values() if inspect.isfunction(each)]
        elif inspect.isfunction(found):
            named = list(_named(found.__code__, found.__globals__))
            if not HARD.isdisjoint(name for name, _ in named):
                return True
            open_ += [each for _, each in named if _is_ours(each)]
    return False


def _named(code: CodeType, known: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The names in the code and what they are; of a module, what is asked of it."""
    value = None
    for step in dis.get_instructions(code):
        if step.opname.startswith("LOAD_") and inspect.ismodule(value):
            value = getattr(value, str(step.argval), None)
        else:
            value = known.get(str(step.argval))
        yield str(step.argval), value
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _named(each, known)


def _is_ours(value: Any) -> bool:
    is_code = inspect.isfunction(value) or inspect.isclass(value)
    return is_code and value.__module__.startswith(("plugins.", "checks."))


def test_the_archive_has_the_keys_of_all_who_approve(plans: dict[str, Plan]) -> None:
    """Without one, an approval that was good could be judged by nobody later."""
    for version, plan in plans.items():
        (written,) = plan.tasks["write_archive"].calls
        (people,) = (each for each in written.arguments if isinstance(each, dict))
        who = {task.who for task in plan.tasks.values() if task.kind is Kind.APPROVAL}
        assert who <= set(people), version


def test_nothing_is_public_before_the_release_manager_said_go(plans: dict[str, Plan]) -> None:
    """Behind it are the merge, the texts, NEWS and what every gate found at that moment."""
    of_files = {"approve_commit", "approve_merge", "approve_announcement", "check_before_switch"}
    covered = {
        "approve_release": of_files,
        "approve_change": {"choose_day", "check_words"},
        "approve_end": {"choose_day", "check_words", "find_head", "make_end_tag", "list_tracker"},
    }
    for plan in plans.values():
        (go,) = (name for name in covered if name in plan.tasks)
        assert covered[go] <= set(plan.needs(plan.tasks[go]))
        for task in plan.tasks.values():
            if task.is_public and task.name not in TO_EXPERTS:
                assert go in plan.needs(task), task.name


def test_caches_are_purged_only_of_what_is_in_place(plans: dict[str, Plan]) -> None:
    """Read back before it is there, the purge would fail where it is run alone."""
    shown = {"switch_files", "switch_docs", "unpack_docs"}
    for plan in plans.values():
        if "purge_files" in plan.tasks:
            wanted = shown & plan.tasks.keys()
            assert wanted <= set(plan.needs(plan.tasks["purge_files"]))
    final = plans["3.13.6"]
    assert shown <= set(final.needs(final.tasks["purge_files"]))


def test_a_branch_is_deleted_only_after_its_tag_is_there(plans: dict[str, Plan]) -> None:
    plan = plans["3.12"]
    before = plan.needs(plan.tasks["delete_series_branch"])
    assert {"push_end_tag", "close_pulls", "list_tracker", "approve_end"} <= set(before)
    for name in ("move_issues", "mark_ended", "delete_backports", "record_phase", "post_words"):
        assert "delete_series_branch" in plan.needs(plan.tasks[name]), name


def test_deferred_blockers_are_turned_after_the_last_gate_that_looks_for_blockers(
    plans: dict[str, Plan],
) -> None:
    """Where tasks run at once, and after a stop, an earlier turn would shut that gate for good."""
    for plan in plans.values():
        if "flip_blockers" in plan.tasks:
            assert "check_before_page" in plan.needs(plan.tasks["flip_blockers"]), plan.project


def test_each_act_that_cannot_be_taken_back_is_behind_a_gate_of_that_moment(
    plans: dict[str, Plan],
) -> None:
    gates = {
        "switch_files": "check_before_switch",
        "switch_docs": "check_before_switch",
        "push_upstream": "check_before_upstream",
        "publish_page": "check_before_page",
    }
    for plan in plans.values():
        for act, gate in gates.items():
            if act in plan.tasks:
                assert gate in plan.tasks[act].after
                # the gate is the last one that is judged: behind all else that the act waits for
                waits = {each for each in plan.tasks[act].after if each != gate}
                # await_others is judged at that moment as well
                switch = {"approve_release", "await_others"}
                last = switch if act.startswith("switch") else set()
                if "await_others" in plan.tasks and act.startswith("switch"):
                    assert "await_others" in waits
                    assert plan.tasks["await_others"].volatile
                assert waits - last <= set(plan.needs(plan.tasks[gate])), (act, waits)
                assert plan.tasks[gate].volatile


def _sends_an_email(task: Task) -> bool:
    return any(resolved(each.function) is emails.send for each in task.calls)


def test_nothing_stands_outside_of_publish(plans: dict[str, Plan]) -> None:
    """A task that nothing waits for would never be done, and nobody would miss it."""
    for version, plan in plans.items():
        needed = set(plan.needs(plan.tasks["publish"]))
        assert set(plan.tasks) - needed == {"publish"}, version


def test_a_gate_stands_before_something_but_the_archive(plans: dict[str, Plan]) -> None:
    """Which waits for all that nothing waits for: such a gate would stop nothing."""
    for version, plan in plans.items():
        stops = {each for task in plan.tasks.values() for each in task.after
                 if task.name != "write_archive" and task.kind is not Kind.GROUP}  # fmt: skip
        gates = {name for name, task in plan.tasks.items() if task.kind is Kind.GATE}
        assert gates - stops <= set(), version


@pytest.mark.parametrize("words", [("list",), ("list", "--status", "--all")])
def test_the_list_tells_tasks_in_the_order_of_the_file(
    words: tuple[str, ...], plans: dict[str, Plan], tmp_path: Path
) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "doit", *words, "--release", a_declaration(tmp_path)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    plan = plans["3.13.6"]
    steps = [name for name, task in plan.tasks.items() if task.kind is not Kind.GROUP]
    pattern = r"^  \w+ +(\w+) +(?!group)" if "--status" in words else r"^(\w+) +[A-Z]"
    found = re.findall(pattern, ended.stdout, re.MULTILINE)
    assert [name for name in found if name in steps] == steps


@pytest.mark.parametrize("script", [LOADING, LISTING], ids=["loading", "list --status"])
def test_reading_the_outline_loads_no_service(script: str, tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", script, a_declaration(tmp_path)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(ended.stdout.splitlines()[-1].split())
    assert "plugins" in loaded
    assert loaded & set(HEAVY) == set()
