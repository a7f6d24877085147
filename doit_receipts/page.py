"""Page: a release as one HTML page that needs nothing else: no network, no file beside it.

It is the same for ``doit report``, which is kept, and ``doit board``, which lives. What comes from
outside (facts, findings, lines of logs) is text in it and nothing more, without control characters.
"""

from __future__ import annotations

import os
import re
from base64 import b64encode
from functools import lru_cache
from hashlib import sha256
from html import escape
from typing import TYPE_CHECKING, Final

from doit_receipts import day, drawing
from doit_receipts.command.advice import awaited, troubles
from doit_receipts.command.status_table import title, upcoming
from doit_receipts.durations import durations_s
from doit_receipts.errors import ReleaseError
from doit_receipts.printable import addresses, cut, printable, share
from doit_receipts.running import running_tasks, shown_time
from doit_receipts.status import TaskState, is_first, statuses
from doit_receipts.task import Kind
from doit_receipts.task_times import task_times, waits_since

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from doit_receipts.day import Event
    from doit_receipts.plan import Plan
    from doit_receipts.receipt import Receipt
    from doit_receipts.status import Status

__all__ = ["Page", "linked", "tail_of"]

_TAIL_BYTES: Final = 8192
_TAIL_LINES: Final = 12
_DIGEST: Final = r"[0-9a-f]{16}"
_MOST_FACTS: Final = 12
_MOST_HISTORY: Final = 120
_MOST_LETTERS: Final = 300
_COLOURS: Final = tuple(drawing.COLOURS.items())
_ANY_WORDS: Final = "\0"
"""Stands for the words of a command, in which it cannot be."""

_STYLE: Final = """
:root{color-scheme:light dark}
body{font:15px/1.45 system-ui,sans-serif;margin:0 auto;max-width:72rem;padding:.75rem}
h1{font-size:1.3rem;margin:.2rem 0}h2{font-size:1.05rem;margin:1.4rem 0 .4rem}
code,pre{font:.85em ui-monospace,monospace}
pre{overflow-wrap:anywhere;white-space:pre-wrap;margin:.3rem 0}
.wide{overflow:auto;max-height:80vh;border:1px solid #8886;border-radius:6px}
.chip{display:inline-block;min-width:5.2em;padding:0 .4em;border-radius:4px;color:#111}
progress{width:100%;height:.8rem}.alarm{color:#c62828;font-weight:bold}.small{opacity:.75}
details{border-top:1px solid #8884;padding:.15rem 0}summary{cursor:pointer}
details details{margin-left:.6rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:0 .8rem;margin:.2rem 0}
.tail{max-height:16em;overflow-y:auto;display:flex;flex-direction:column-reverse}
dd{margin:0;overflow-wrap:anywhere}li{margin:.15rem 0}button{font:inherit;padding:0 .4em}
@media(max-width:600px){dl{display:block}dd{margin-left:1rem}}
""".strip()
_SCRIPT: Final = """
document.addEventListener("click",e=>{if(e.target.dataset.copy)
navigator.clipboard.writeText(e.target.dataset.copy).then(()=>{e.target.textContent="copied"})});
addEventListener("hashchange",()=>{let at=document.getElementById(location.hash.slice(1));
for(let d=at;d;d=d.parentElement)if(d.tagName=="DETAILS")d.open=true;if(at)at.scrollIntoView()});
const box=["running","queued","failed","blocked","waiting","stale","ready"]
.map(state=>document.querySelector(".graph .s-"+state)).find(found=>found);
const graph=document.querySelector(".graph");if(graph){const wide=graph.parentElement,
at=box?box.getBBox():{x:graph.getBBox().width/2,y:0,width:0};
wide.scrollTo(at.x+at.width/2-wide.clientWidth/2,at.y-wide.clientHeight/2)}
""".strip()


class Page:
    """The page of one release; where its tasks stand in the graph is found once."""

    def __init__(self, plan: Plan, problem: str = "") -> None:
        self._plan = plan
        self._problem = problem
        self._drawing = drawing.drawing_of(plan)
        self._command = _commands(plan)

    def of(self, plan: Plan, problem: str) -> Page:
        """This page, or that of another plan; ``problem`` stands above all, if there is one."""
        self._problem = problem
        return self if plan is self._plan else Page(plan, problem)

    def text(self, body: str = "", script: str = "") -> str:
        """The whole page as it is now, or with this body; ``script`` is what keeps it alive."""
        name = escape(title(self._plan))
        light, dark = (
            "".join(f".c-{state.value}{{background:{of[shade]}}}" for state, of in _COLOURS)
            for shade in (0, 1)
        )
        chips = f"{light}@media(prefers-color-scheme:dark){{.chip{{color:#eee}}{dark}}}"
        style = f"{_STYLE}{chips}{drawing.STYLE}{day.STYLE}"
        connect = "; connect-src 'self'" if script else ""
        script = f"{_SCRIPT}{script}"
        policy = f"default-src 'none'; style-src {_source(style)}; script-src {_source(script)}"
        policy += f"{connect}; base-uri 'none'; form-action 'none'"
        return (
            f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{name}</title>\n'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
            f"<style>{style}</style></head>\n"
            f'<body><main id="all">{body or self.body()}</main>\n'
            f"<script>{script}</script></body></html>\n"
        )

    def body(self) -> str:
        """What changes: all that is known of the release now."""
        plan = self._plan
        found = statuses(plan)
        events, took_s = day.events_of(plan.context.journal), durations_s(plan.folder)
        return "\n".join(
            (
                *self._top(found, took_s),
                *_running(plan),
                *self._next(found),
                *_findings(plan),
                *_tasks(plan, found, events),
                *self._pictures(found, events, took_s),
                *_history(events),
            )
        )

    def _top(self, found: Mapping[str, Status], took_s: Mapping[str, float]) -> Iterator[str]:
        plan = self._plan
        tasks = [name for name, task in plan.tasks.items() if task.kind is not Kind.GROUP]
        done = sum(found[name].state is TaskState.DONE for name in tasks)
        counts = {state: sum(found[name].state is state for name in tasks) for state in TaskState}
        yield f"<h1>{escape(title(plan))}</h1>"
        yield from (f'<p class="alarm">{linked(alarm)}</p>' for alarm in self._alarms())
        chips = " ".join(f"{_chip(state, str(count))}" for state, count in counts.items() if count)
        now = plan.context.clock.now()
        yield f'<p><progress max="{len(tasks)}" value="{done}"></progress>'
        yield f"<br>{share(done, len(tasks), 'task', 'is', 'are')} done: {chips}</p>"
        rest = drawing.rest_of(plan, found, took_s)
        yield f'<p class="small">as of {now:%Y-%m-%d %H:%M:%S} UTC{rest and f"; {rest}"}</p>'

    def _alarms(self) -> Iterator[str]:
        yield from self._plan.alarms()
        if self._problem:
            yield self._problem

    def _next(self, found: Mapping[str, Status]) -> Iterator[str]:
        plan = self._plan
        lines = troubles(plan, found, list(plan.tasks))
        # What runs has a place of its own on the page.
        lines += [
            each.removeprefix("next: ")
            for each in upcoming(plan, found)
            if not each.startswith("running: ")
        ]
        for name in plan.tasks:
            if found[name].state is TaskState.WAITING and is_first(plan, name, found):
                asked = awaited(plan, name, found[name])
                lines += [] if any(asked in line for line in lines) else [asked]
        if lines:
            yield "<h2>Next</h2><ul>"
            yield from (f"<li>{self._with_buttons(line)}</li>" for line in lines)
            yield "</ul>"

    def _with_buttons(self, line: str) -> str:
        """The line, and behind each command in it a button that copies the whole of it."""
        text, at = "", 0
        for found in self._command.finditer(line):
            if found[0].isprintable():
                safe = escape(found[0])
                text += linked(line[at : found.start()])
                text += f'<code>{safe}</code> <button data-copy="{safe}">copy</button>'
                at = found.end()
        return text + linked(line[at:])

    def _pictures(
        self, found: Mapping[str, Status], events: Sequence[Event], took_s: Mapping[str, float]
    ) -> Iterator[str]:
        chain, _ = drawing.chain_left(self._plan, found, took_s)
        picture = self._drawing.svg(found, chain)
        yield f'<h2>Graph</h2><div class="wide" tabindex="0">{picture}</div>'
        yield f'<p class="small">{drawing.LEGEND}</p>'
        shown = (*events, *day.now_at(self._plan))
        if shown:
            yield f'<h2>Timeline</h2><div class="wide" tabindex="0">{day.timeline(shown)}</div>'


def _source(text: str) -> str:
    """What a browser allows in place of anything that is inline: this very text."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def tail_of(log: Path) -> str:
    """The newest lines of a log, however large it is, without control characters."""
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - _TAIL_BYTES))
            lines = stream.read(_TAIL_BYTES).decode(errors="replace").split("\n")
    except OSError:
        return ""
    return "\n".join(_short(line) for line in lines[-_TAIL_LINES - 1 :] if line.strip())


@lru_cache(1 << 14)
def _short(text: str) -> str:
    return cut(printable(text), _MOST_LETTERS)


def _chip(state: TaskState, more: str = "") -> str:
    words = f"{more} {state.value}".strip()
    return f'<span class="chip c-{state.value}">{drawing.SIGNS[state]} {words}</span>'


def _commands(plan: Plan) -> re.Pattern[str]:
    """Finds commands as the project spells them for the open release, before and behind the words.

    The words are that of doit, tasks, digests, options, paths and names in capitals; prose goes on
    behind.
    """
    before, _, behind = map(re.escape, plan.project.command(_ANY_WORDS).partition(_ANY_WORDS))
    tasks = "|".join(map(re.escape, plan.tasks))
    # In time that grows with the line alone: others may have written it.
    path = r"(?=\w*[./=~-]+[\w/~])[\w./=~-]*[\w/~]"
    return re.compile(rf"\b{before}\w+(?: (?:(?:{tasks}|[A-Z]+|{_DIGEST})\b|{path}))*{behind}")


@lru_cache(1 << 14)
def linked(text: str) -> str:
    """The text with its addresses as links; a sentence's marks behind one are none of it."""
    short, made, at = _short(text), "", 0
    for start, end in addresses(short):
        safe = escape(short[start:end])
        made += escape(short[at:start])
        made += f'<a href="{safe}" rel="noreferrer">{safe}</a>'
        at = end
    return made + escape(short[at:])


def _running(plan: Plan) -> Iterator[str]:
    now_s = plan.context.clock.now().timestamp()
    for each in running_tasks(plan.folder):
        yield f"<h2>{_chip(TaskState.RUNNING)} {escape(each.task)}"
        yield f" for {shown_time(now_s - each.since_s)}</h2>"
        yield f'<pre class="tail" tabindex="0">{escape(tail_of(plan.folder.log(each.task)))}</pre>'


def _findings(plan: Plan) -> Iterator[str]:
    lines = [
        f"waived: {each.rule} by {each.by} until {each.until}: {each.reason}"
        for each in plan.receipts.covering_waivers()
    ]
    for name, task in plan.tasks.items():
        receipt = _receipt(plan, name) if task.kind is Kind.GATE else None
        lines += [f"{name}: {finding}" for finding in (receipt.findings if receipt else ())]
    if lines:
        yield "<h2>Waivers and findings</h2><ul>"
        yield from (f"<li>{linked(line)}</li>" for line in lines)
        yield "</ul>"


def _receipt(plan: Plan, name: str) -> Receipt | None:
    try:
        return plan.receipts.receipt(name)
    except ReleaseError:
        return None


def _tasks(plan: Plan, found: Mapping[str, Status], events: Sequence[Event]) -> Iterator[str]:
    done = {each.task: each for each in events if each.word == "done"}
    times, now = task_times(plan.folder, plan.state), plan.context.clock.now()
    yield "<h2>Tasks</h2>"
    for key, called in plan.project.chapters.items():
        tasks = [
            task for task in plan.tasks.values()
            if task.chapter == key and task.kind is not Kind.GROUP
        ]  # fmt: skip
        if not tasks:
            continue
        left = sum(not found[task.name].lets_on for task in tasks)
        again = sum(found[task.name].state is not TaskState.DONE for task in tasks) - left
        words = f"{left} of {len(tasks)} left" if left else f"{len(tasks) - again} done"
        words = f"{words}, {again} passed, to be checked again" if again else words
        words = words if left or again else f"all {len(tasks)} done"
        # As in the list: what is done, and what is later, is a line until somebody opens it.
        is_at = any(not found[each.name].lets_on and found[each.name].state is not TaskState.LATER
                    for each in tasks)  # fmt: skip
        yield f'<details id="chapter-{escape(key)}"{" open" * is_at}>'
        yield f'<summary><b>{escape(called)}</b> <span class="small">{words}</span></summary>'
        for task in tasks:
            status, name = found[task.name], escape(task.name)
            at = times.since.get(task.name, "") if status.state is TaskState.WAITING else ""
            why = waits_since(status.who, status.why, at, now)
            yield f'<details id="{name}"><summary>{_chip(status.state)} <b>{name}</b>'
            yield f' <span class="small">{escape(task.label)}</span> {linked(why or task.title)}'
            yield "</summary><dl>"
            yield from _about(plan, task.name, done.get(task.name), status)
            yield "</dl></details>"
        yield "</details>"


def _about(plan: Plan, name: str, event: Event | None, status: Status) -> Iterator[str]:
    task = plan.tasks[name]
    yield _row("what", task.title)
    if task.after:
        yield _row("after", ", ".join(task.after))
    receipt = _receipt(plan, name)
    if event is not None and receipt is not None:
        took = f", {shown_time(event.took_s)}" if event.took_s >= 1 else ""
        yield _row("done", f"{event.at:%Y-%m-%d %H:%M:%S} UTC by {event.by}{took}")
    if receipt is not None:
        if receipt.adopted:
            yield _row("adopted", "it was so already")
        rows = [*sorted(receipt.facts.items()), *sorted(receipt.outputs.items())]
        yield from (_row(key, text) for key, text in rows[:_MOST_FACTS] if text)
        if len(rows) > _MOST_FACTS:
            yield _row("more", f"{len(rows) - _MOST_FACTS} in receipts/{name}.json")
    if status.state in (TaskState.FAILED, TaskState.BLOCKED):
        tail = escape(tail_of(plan.folder.log(name)))
        yield f"<dt>log</dt><dd><pre>{tail}</pre></dd>"


@lru_cache(1 << 14)
def _row(key: str, text: str) -> str:
    return f"<dt>{escape(_short(key))}</dt><dd>{linked(text)}</dd>"


def _history(events: Sequence[Event]) -> Iterator[str]:
    if not events:
        return
    yield "<h2>What happened</h2><details><summary>newest first</summary><ol reversed>"
    for each in reversed(events[-_MOST_HISTORY:]):
        said = f": {each.said}" if each.said else ""
        yield f"<li>{each.at:%m-%d %H:%M:%S} {each.word} {escape(each.task)}{linked(said)}</li>"
    yield "</ol></details>"
