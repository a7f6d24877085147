"""The report command: the release as one HTML file, to keep or to publish."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from doit.exceptions import InvalidCommand

from doit_receipts.command.command_line import OptionsAnywhere
from doit_receipts.command.option import option
from doit_receipts.durable import write_whole
from doit_receipts.errors import ReleaseError, StepFailed
from doit_receipts.loader import plan_of
from doit_receipts.page import Page
from doit_receipts.typed import started_in
from doit_receipts.watching import Watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from doit_receipts.plan import Plan

__all__ = ["Report"]

_PAUSE_S: Final = 1.0
_FILE: Final = option(
    "file",
    "the file to write [default: report.html in the work folder]",
    default="",
    long="output",
    short="o",
)
_FOLLOW: Final = option("follow", "write it again at each change, until Ctrl-C")
_MARKDOWN: Final = option(
    "markdown", "a checklist in Markdown for an issue, to the terminal or the file of --output"
)


class Report(OptionsAnywhere):
    """Write what was done, what is left and who waits for whom into one HTML file."""

    name = "report"
    example = "doit report --output release.html"
    doc_purpose = "write the release as one HTML file that needs nothing else"
    doc_usage = ""
    doc_description = None
    cmd_options = (_FILE, _FOLLOW, _MARKDOWN)

    def _execute(self, file: str, follow: bool, markdown: bool, pos_args: Any) -> int:
        if pos_args:
            message = "doit report takes no task; --output FILE says where it is written"
            raise InvalidCommand(message)
        if markdown and follow and not file:
            message = "doit report --markdown --follow wants a file: add --output FILE"
            raise InvalidCommand(message)
        plan = plan_of(self)
        watch = Watch(plan)
        text_now = _checklists() if markdown else _pages(plan)
        text = text_now(watch)
        if markdown and not file:
            self.outstream.write(text)
        else:
            default = plan.folder.work / "report.html"
            path = started_in() / Path(file).expanduser() if file else default
            _write(path, text)
            self._say(path)
            if follow:
                with suppress(KeyboardInterrupt):
                    self._follow(watch, path, text_now, text, names=markdown)
        watch.plan.state.close()
        return 0

    def _follow(
        self,
        watch: Watch,
        path: Path,
        text_now: Callable[[Watch], str],
        before: str,
        *,
        names: bool,
    ) -> NoReturn:
        """Write it again whenever it says something else, and name the file if it ``names`` it.

        A full disk is told once, and tried again.
        """
        said = ""
        while True:
            time.sleep(_PAUSE_S)
            if not watch.changed() and not said:
                continue
            watch.plan.look_anew()
            text, problem = text_now(watch), ""
            if text != before:
                try:
                    _write(path, text)
                except ReleaseError as error:
                    problem = str(error)
                    if problem != said:
                        sys.stderr.write(f"{problem}\n")
                else:
                    before = text
                    if names:
                        self._say(path)
            said = problem

    def _say(self, path: Path) -> None:
        """For whoever reads along: a program, maybe."""
        self.outstream.write(f"{path}\n")
        self.outstream.flush()


def _pages(plan: Plan) -> Callable[[Watch], str]:
    """What gives the page as it is now."""
    page = Page(plan)

    def text_now(watch: Watch) -> str:
        nonlocal page
        page = page.of(watch.plan, watch.problem)
        return page.text()

    return text_now


def _checklists() -> Callable[[Watch], str]:
    """What gives the checklist as it is now."""
    # late: most reports are pages
    from doit_receipts.checklist import checklist

    return lambda watch: checklist(watch.plan, watch.problem)


def _write(path: Path, text: str) -> None:
    """The file holds the text, or is as it was. Raises StepFailed where it cannot be written."""
    try:
        write_whole(path, text.encode(errors="backslashreplace"))
    except OSError as error:
        raise StepFailed(
            where=str(path),
            problem=f"cannot be written: {(error.strerror or str(error)).lower()}",
            remedy="make room there, or name another file with --output",
        ) from error
