"""The page of a release: what it shows, and what it never is."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from html import unescape
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from doit_receipts.approvals import beginning
from doit_receipts.command.status_table import table
from doit_receipts.day import Event, events_of, timeline
from doit_receipts.drawing import LEGEND, SIGNS, chain_left, drawing_of
from doit_receipts.durations import durations_in
from doit_receipts.lock import holding
from doit_receipts.page import Page, linked, tail_of
from doit_receipts.project import Release
from doit_receipts.runner import subject_of
from doit_receipts.status import TaskState, statuses
from tests.engine.released_thing import HOSTILE, do, released

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from doit_receipts.plan import Plan


@pytest.fixture
def plan(tmp_path: Path) -> Iterator[Plan]:
    """A release of which nothing is done."""
    made = released(tmp_path)
    yield made
    made.state.close()


def test_the_page_tells_what_is_done_what_is_left_and_who_acts(plan: Plan) -> None:
    do(plan, "make_a", "check_a", "await_ci", "break_b")
    text = Page(plan).text()
    assert "<title>Thing 1.0</title>" in text
    assert "2 of 5 tasks are done" in text
    assert "2 of 2 left" in text
    assert re.search(r'id="make_a"><summary><span class="chip c-done">✓ done</span>', text)
    assert "waiting</span> <b>await_ci</b>" in text
    assert re.search(r"CI since \d\d:\d\d UTC: 2 of 3 jobs ended; watch <a href=", text)
    assert "b: broke; mend it" in text
    copied_command = r'<button data-copy="doit approve approve_a [0-9a-f]{16}">copy</button>'
    assert re.search(copied_command, text)
    assert '<a href="https://example.org/a" rel="noreferrer">' in text


class ByEnvironment(Release):
    """A release whose commands name it in front."""

    def command(self, *words: str) -> str:
        """As where dodo.py is in another folder."""
        return f"THING='/a b/c+d.toml' doit -f '/x y/dodo.py' {' '.join(words)}"


class ByOption(Release):
    """A release whose commands name it behind."""

    def command(self, *words: str) -> str:
        """As where it is another file than the usual one."""
        return f"doit {' '.join(words)} --release '/a \"b\"/{'c' * 300}+@:,%.toml'"


@pytest.mark.parametrize("project", [Release, ByEnvironment, ByOption])
def test_a_button_copies_the_whole_command(project: type[Release], tmp_path: Path) -> None:
    made = released(tmp_path, project)
    do(made, "make_a", "check_a", "await_ci", "break_b")
    digest = beginning(subject_of(made.receipts.inputs(made.tasks["approve_a"])))
    wanted = [("publish",), ("why", "break_b"), ("approve", "approve_a", digest)]
    assert copied(Page(made).text()) == [made.project.command(*words) for words in wanted]
    made.state.close()


def copied(page: str) -> list[str]:
    """What its buttons copy, in order."""
    return [unescape(each) for each in re.findall(r'data-copy="([^"]*)"', page)]


def test_what_runs_stands_first_and_is_the_end_of_the_timeline(plan: Plan) -> None:
    do(plan, "make_a")
    with holding(plan.folder.lock), plan.context.running.of("check_a", now_s(plan) - 61):
        text = Page(plan).text()
    assert "▶ running</span> check_a for 1 min " in text.replace("\n", "")
    assert "running: check_a" not in text
    bars = re.findall(r'<rect class="(\w+)" x="[\d.]+" y="\d+" width="([\d.]+)"', text)
    assert [word for word, _ in bars] == ["done", "running"]
    assert float(bars[1][1]) > 600


def test_what_people_can_do_while_something_runs_is_told(plan: Plan) -> None:
    do(plan, "make_a", "check_a")
    with holding(plan.folder.lock), plan.context.running.of("await_ci", now_s(plan)):
        *_, running, also = table(plan, 80).splitlines()
    assert running.startswith("running: await_ci for ")
    assert re.fullmatch("also: RM: doit approve approve_a [0-9a-f]{16}", also)


def now_s(plan: Plan) -> float:
    return plan.context.clock.now().timestamp()


def test_what_others_wrote_is_text_and_nothing_more(plan: Plan) -> None:
    do(plan, "make_a", "check_a")
    text = Page(plan).text()
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &quot;quoted&quot; \\x1b[31mred" in text
    assert "\x1b" not in text
    assert HOSTILE not in text


def test_words_can_be_read_on_a_dark_page_as_well(plan: Plan) -> None:
    style = Page(plan).text().partition("<style>")[2].partition("</style>")[0]
    dark = style.partition("@media(prefers-color-scheme:dark){.chip{color:#eee}")[2]
    assert all(f".c-{state.value}{{background:#" in dark for state in TaskState)


def test_only_chapters_where_something_can_be_done_are_open(plan: Plan) -> None:
    assert re.search(r'<details id="chapter-\w+" open>', Page(plan).text())
    do(plan, "make_a", "check_a", "await_ci", "break_b")
    opened = re.findall(r'<details id="chapter-\w+"( open)?>', Page(plan).text())
    assert " open" in opened


def test_the_page_needs_nothing_else(plan: Plan) -> None:
    text = Page(plan).text()
    assert not re.search(r"<(?:link|img|iframe|object|embed)\b|src=|@import|url\(", text)
    assert "default-src 'none'" in text
    assert "connect-src" not in text
    assert 'name="viewport"' in text
    assert "prefers-color-scheme:dark" in text


def test_a_journal_of_years_is_read_at_its_end(plan: Plan) -> None:
    line = b'{"at": "2020-01-01T00:00:00+00:00", "by": "me", "event": "done", "task": "old"}\n'
    plan.folder.journal.parent.mkdir(parents=True)
    plan.folder.journal.write_bytes(line * 200_000)
    do(plan, "make_a")
    events = events_of(plan.context.journal)
    assert events[-1].task == "make_a"
    assert len(events) < 60_000
    assert len(Page(plan).text()) < 200_000


@pytest.mark.parametrize(
    "line",
    [
        b"[]", b"{", b'{"event": "done"}', b'{"event": "done", "task": "a", "at": "never"}',
        b'{"event": "done", "task": 1, "at": "2026-01-01T00:00:00"}', b"[" * 100_000,
        b'{"event": "done", "task": "a", "at": "2026-01-01T00:00:00", "took_s": []}',
        b'{"event": "done", "task": "a", "at": "2026-01-01T00:00:00", "took_s": 1e300}',
        b'{"event": "done", "task": "a", "at": "0001-01-01T00:00:00", "took_s": 9}',
    ],
)  # fmt: skip
def test_a_line_of_the_journal_that_says_nothing_is_left_out(plan: Plan, line: bytes) -> None:
    do(plan, "make_a")
    with plan.folder.journal.open("ab") as stream:
        stream.write(line + b"\n")
    assert [each.task for each in events_of(plan.context.journal)] == ["make_a"]
    assert Page(plan).text()


def test_a_log_without_end_costs_its_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as stream:
        stream.seek(1 << 30)
        stream.write(b"\nlast \x1b]0;title\x07 line\xff\n")
    assert tail_of(log).splitlines()[-1] == "last \\x1b]0;title\\x07 line�"
    assert len(tail_of(log)) < 10_000
    assert tail_of(tmp_path / "none") == ""


def test_the_graph_has_each_task_once_and_no_arrow_that_others_imply(plan: Plan) -> None:
    drawing = drawing_of(plan)
    corners, ways = drawing.placed.corners, drawing.placed.ways
    assert set(corners) == {"make_a", "check_a", "approve_a", "await_ci", "break_b"}
    assert len(set(corners.values())) == 5
    assert ("make_a", "check_a") in ways
    assert all(corners[one][1] < corners[two][1] for one, two in ways)
    found = statuses(plan)
    drawn = drawing.svg(found, chain_left(plan, found, {})[0], alone=True)
    assert drawn.count("<g><title>") == 5
    assert f"{SIGNS[TaskState.READY]} make_a" in drawn
    assert set(SIGNS) == set(TaskState)


def test_the_graph_tells_what_its_signs_mean_and_of_each_task_chapter_and_person(
    plan: Plan,
) -> None:
    drawn = drawing_of(plan).svg(statuses(plan), alone=True)
    assert LEGEND in drawn
    assert ", ".join(f"{sign} {state.value}" for state, sign in SIGNS.items()) in drawn
    chapter = plan.project.chapters[plan.tasks["approve_a"].chapter]
    assert f">RM · {chapter}</text>" in drawn
    assert LEGEND in Page(plan).text()


def test_the_longest_chain_is_that_of_what_is_left(plan: Plan) -> None:
    took_s = {"make_a": 10.0, "check_a": 1.0, "await_ci": 60.0, "break_b": 2.0}
    found = statuses(plan)
    assert chain_left(plan, found, took_s) == (("make_a", "check_a", "await_ci"), 71.0)
    do(plan, "make_a")
    chain, _ = chain_left(plan, statuses(plan), took_s)
    assert chain == ("check_a", "await_ci")


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("red (http://bots.example/#/builders/1): tier 1", "http://bots.example/#/builders/1"),
        ("see https://x.example/a_(b), then", "https://x.example/a_(b)"),
        ("see https://x.example/a?b=1&c=2.", "https://x.example/a?b=1&amp;c=2"),
        ("<https://x.example/>; more", "https://x.example/"),
    ],
)
def test_a_link_ends_where_its_address_does(said: str, address: str) -> None:
    assert re.findall('href="([^"]*)"', linked(said)) == [address]


def test_an_address_that_is_cut_is_no_link() -> None:
    """It would lead to a page that does not exist."""
    shown = linked(f"{'x' * 150} https://h.example/{'a' * 9000}")
    assert shown.endswith("aa…")
    assert "<" not in shown


def test_the_timeline_has_a_bar_an_event(plan: Plan) -> None:
    assert timeline(()) == ""
    do(plan, "make_a", "check_a", "break_b")
    drawn = timeline(events_of(plan.context.journal))
    assert drawn.count("<rect") == 3
    assert re.search(r'<text x="[\d.]+" y="12">\d\d:\d\d:\d\d</text>', drawn), "its hours, above"
    assert '<rect class="failed"' in drawn


def happened(*events: tuple[str, str, str, float]) -> str:
    day = "2026-12-01T"
    return timeline([
        Event(datetime.fromisoformat(f"{day}{at}+00:00"), word, task, "", took_s, "")
        for at, word, task, took_s in events
    ])  # fmt: skip


def places(drawn: str) -> list[tuple[str, float, float]]:
    """Each bar: its word, where it begins and where it ends."""
    bars = re.findall(r'<rect class="(\w+)" x="([\d.]+)" y="\d+" width="([\d.]+)"', drawn)
    return [(word, float(x), float(x) + float(wide)) for word, x, wide in bars]


def test_a_task_has_one_row_however_often_it_was_done() -> None:
    drawn = happened(
        ("15:01:00", "done", "look", 60), ("15:05:00", "done", "make", 60),
        ("15:09:00", "done", "look", 120),
    )  # fmt: skip
    assert re.findall(r'<text x="0" y="\d+">(\w+)</text>', drawn) == ["look", "make"]
    assert [word for word, _, _ in places(drawn)] == ["done"] * 3


def test_who_waits_is_seen_to_wait_until_it_goes_on() -> None:
    drawn = happened(
        ("15:00:00", "waiting", "await_it", 0), ("15:00:30", "waiting", "await_it", 0),
        ("15:04:00", "done", "make", 60), ("15:05:00", "done", "await_it", 30),
        ("15:06:00", "waiting", "others", 0), ("15:07:00", "done", "make", 60),
    )  # fmt: skip
    bars = places(drawn)
    words = [word for word, _, _ in bars]
    assert words == ["waiting", "waiting", "done", "done", "waiting", "done"]
    first, again, _, awaited, others, _ = bars
    assert first[2] == pytest.approx(again[1], abs=0.2)
    assert again[2] == pytest.approx(awaited[1], abs=0.2)
    assert awaited[2] < others[1]
    assert others[2] == pytest.approx(max(each[2] for each in bars), abs=2)


def test_the_timeline_tells_its_hours_and_the_pauses_that_it_cuts_short() -> None:
    drawn = happened(
        ("15:05:00", "done", "make", 300), ("17:20:00", "done", "look", 300),
        ("17:30:00", "done", "send", 60),
    )  # fmt: skip
    hours = [(float(x), at) for x, at in re.findall(r'<text x="([\d.]+)" y="12">(.+?)<', drawn)]
    assert hours[0] == (170.0, "12-01 15:00")
    assert [at for _, at in hours] == ["12-01 15:00", "15:05", "17:15", "17:20", "17:29"]
    assert all(after[0] - before[0] >= 60 for before, after in pairwise(hours))
    assert "nothing was done for 2 h 10 min" in drawn


def test_times_that_nobody_can_have_had_are_no_part_of_a_page_or_an_estimate(plan: Plan) -> None:
    """Anybody who can write to the work folder can write to the journal."""
    do(plan, "make_a")
    with plan.folder.journal.open("a") as journal:
        for at, took_s in (
            ("2026-12-01T12:00:00+00:00", "1e308"), ("0001-01-01T00:00:00+00:00", 500),
            ("9999-12-31T23:59:59-14:00", 1), ("2026-12-01T12:00:00+00:00", 1e12),
        ):  # fmt: skip
            entry = {"event": "done", "task": "check_a", "at": at, "took_s": took_s}
            journal.write(json.dumps(entry) + "\n")
    assert [each.task for each in events_of(plan.context.journal)] == ["make_a"]
    assert max(durations_in(plan.folder.journal).values()) <= 500
    assert "Timeline" in Page(plan).text()


def test_a_long_time_in_which_one_task_ran_is_no_pause() -> None:
    drawn = happened(("15:30:00", "done", "make", 1500), ("15:31:00", "done", "look", 5))
    assert "25 min 00 s, drawn shorter" in drawn
    assert "nothing was done" not in drawn


def test_a_timeline_that_leaves_out_what_was_first_says_so() -> None:
    day = datetime(2026, 12, 1, 15, tzinfo=UTC)
    events = [
        Event(day + timedelta(minutes=each), "done", f"make_{each}", "", 1, "")
        for each in range(250)
    ]
    assert "the newest 200 of 250" in timeline(events)
    assert "the newest" not in timeline(events[:200])


def test_what_is_read_anew_sees_what_another_process_did(plan: Plan, tmp_path: Path) -> None:
    page = Page(plan)
    assert "0 of 5 tasks are done" in page.text()
    other = released(tmp_path)
    do(other, "make_a")
    plan.look_anew()
    assert "1 of 5 tasks is done" in page.text()


def test_a_browser_runs_no_script_but_its_own(tmp_path: Path) -> None:
    """Whatever found its way into the page is neither run nor obeyed."""
    text = Page(released(tmp_path)).text(script="alive()")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]  # type: ignore[index]
    assert "unsafe" not in policy
    for kind in ("style", "script"):
        (content,) = re.findall(f"<{kind}>(.*?)</{kind}>", text, re.DOTALL)
        digest = b64encode(sha256(content.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert " style=" not in text
    assert not re.search(r" on[a-z]+=", text)


def test_what_is_to_be_mended_is_named_before_what_comes_then(plan: Plan) -> None:
    do(plan, "make_a", "check_a", "break_b")
    lines = re.findall("<li>(.*?)</li>", Page(plan).body())
    assert lines[0] == "break_b failed: b: broke; mend it"
    assert lines[1].startswith("mend that, then ")
