"""The run command: doit's own, with one writer, exit statuses that tell waiting from failing."""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from doit.cmd_run import Run as DoitRun
from doit.exceptions import InvalidCommand

from plugins.flow.durable import ReceiptRecords
from plugins.flow.loading import book_of
from plugins.flow.lock import holding
from plugins.model.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

__all__ = ["Run"]

_INTERRUPTED = 130
_TERMINATED = 143


class Run(DoitRun):
    """Run tasks. Status 0: all done, 1: failed, 2: a bug, 3: settings, 4: people are waited for."""

    def _execute(
        self,
        outfile: Any,
        verbosity: Any = None,
        always: Any = False,
        continue_: Any = False,
        reporter: Any = "console",
        num_process: int = 0,
        par_type: str = "process",
        single: Any = False,
        auto_delayed_regex: Any = False,
        force_verbosity: Any = False,
        failure_verbosity: int = 0,
        pdb: Any = False,
    ) -> int:
        if not isinstance(self.dep_manager, ReceiptRecords):
            # Not a release but some other dodo.py, such as tests/dodo.py: doit as it is.
            plain: int = super()._execute(
                outfile, verbosity, always, continue_, reporter, num_process, par_type, single,
                auto_delayed_regex, force_verbosity, failure_verbosity, pdb,
            )  # fmt: skip
            return plain
        book = book_of(self)
        if num_process:
            message = "-n is not offered: steps run one at a time and use every core inside"
            raise InvalidCommand(message)
        if always or single:
            message = "-a and -s are not offered: delete a receipt to have its step done again"
            raise InvalidCommand(message)
        try:
            with holding(book.release.layout.lock) as left, _stoppable():
                if left:
                    book.desk.journal.append("took over", said=left)
                    sys.stderr.write(left + "\n")
                from plugins.flow.reporter import ReleaseReporter

                if isinstance(reporter, str) and reporter == "release":
                    reporter = ReleaseReporter(outfile, {})
                result: int = super()._execute(
                    outfile, verbosity, always, continue_, reporter, num_process, par_type, single,
                    auto_delayed_regex, force_verbosity, failure_verbosity, pdb,
                )  # fmt: skip
        except ReleaseError as error:
            sys.stderr.write(f"{error}\n")
            return 1
        except KeyboardInterrupt:
            return _stopped("Ctrl-C", _INTERRUPTED)
        except _Terminated:
            return _stopped("SIGTERM", _TERMINATED)
        finally:
            book.state.close()
        return reporter.status if isinstance(reporter, ReleaseReporter) else result


class _Terminated(BaseException):
    """SIGTERM came; like Ctrl-C it ends the running step in good order."""


@contextmanager
def _stoppable() -> Iterator[None]:
    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise _Terminated

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _stopped(by: str, status: int) -> int:
    sys.stderr.write(
        f"\nstopped by {by}; finished steps are on record, "
        "and the same command goes on at the one that was running\n"
    )
    return status
