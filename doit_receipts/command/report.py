"""The report command: the release as one HTML file, to keep or to publish."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NoReturn

from doit.exceptions import InvalidCommand

from doit_receipts.command.command_line import OptionsAnywhere
from doit_receipts.command.option import option
from doit_receipts.durable import write_whole
from doit_receipts.errors import ReleaseError, StepFailed
from doit_receipts.loader import plan_of
from doit_receipts.page import Page
from doit_receipts.typed import started_in
from doit_receipts.watching import Watch

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
        plan = plan_of(self)
        if markdown:
            return self._write_checklist(Watch(plan), file, follow=follow)
        path = started_in() / Path(file).expanduser() if file else plan.folder.work / "report.html"
        watch, page = Watch(plan), Page(plan)
        _write(page, path)
        self._say(str(path))
        if follow:
            with suppress(KeyboardInterrupt):
                self._follow(watch, page, path)
        watch.plan.state.close()
        return 0

    def _write_checklist(self, watch: Watch, file: str, *, follow: bool) -> int:
        # late: most reports are pages
        from doit_receipts.checklist import checklist

        if follow and not file:
            message = "doit report --markdown --follow wants a file: add --output FILE"
            raise InvalidCommand(message)
        text = checklist(watch.plan)
        if not file:
            self.outstream.write(text)
        else:
            path = started_in() / Path(file).expanduser()
            _write_bytes(path, text.encode(errors="backslashreplace"))
            self._say(str(path))
            if follow:
                with suppress(KeyboardInterrupt):
                    self._follow_checklist(watch, path, text)
        watch.plan.state.close()
        return 0

    def _follow_checklist(self, watch: Watch, path: Path, before: str) -> NoReturn:
        """Write it again whenever it says something else, and name the file each time."""
        # late: most reports are pages
        from doit_receipts.checklist import checklist

        said = ""
        while True:
            time.sleep(_PAUSE_S)
            if not watch.changed() and not said:
                continue
            watch.plan.look_anew()
            text = checklist(watch.plan, watch.problem)
            if text == before:
                said = ""
                continue
            try:
                _write_bytes(path, text.encode(errors="backslashreplace"))
            except ReleaseError as error:
                if str(error) != said:
                    sys.stderr.write(f"{error}\n")
                said = str(error)
            else:
                said, before = "", text
                self._say(str(path))

    def _say(self, line: str) -> None:
        """For whoever reads along: a program, maybe."""
        self.outstream.write(f"{line}\n")
        self.outstream.flush()

    def _follow(self, watch: Watch, page: Page, path: Path) -> NoReturn:
        """Write it again whenever something changed; a full disk is told once, and tried again."""
        said = ""
        while True:
            time.sleep(_PAUSE_S)
            if not watch.changed() and not said:
                continue
            watch.plan.look_anew()
            page = page.of(watch.plan, watch.problem)
            try:
                _write(page, path)
            except ReleaseError as error:
                if str(error) != said:
                    sys.stderr.write(f"{error}\n")
                said = str(error)
            else:
                said = ""


def _write(page: Page, path: Path) -> None:
    """The file holds the page, or is as it was. Raises StepFailed where it cannot be written."""
    _write_bytes(path, page.text().encode(errors="backslashreplace"))


def _write_bytes(path: Path, content: bytes) -> None:
    try:
        write_whole(path, content)
    except OSError as error:
        raise StepFailed(
            where=str(path),
            problem=f"cannot be written: {(error.strerror or str(error)).lower()}",
            remedy="make room there, or name another file with --output",
        ) from error
