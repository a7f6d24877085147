"""HTTP errors: what went wrong between us and a server, in one line and without a secret."""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NoReturn

from doit_receipts.errors import NothingDone, NotYet, ServiceFailed, Waiting
from doit_receipts.printable import printable
from plugins.services.answers import json_of
from plugins.services.retry_after import until, wait_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    import httpx

__all__ = [
    "REFUSED", "HttpErrors", "LimitReached", "Stumbled", "TooLarge", "nothing_done",
    "worth_another_try",
]  # fmt: skip

REFUSED: Final = tuple(status for status in range(400, 500) if status != 408)
"""Statuses that prove that nothing was done; after 408 the request may have been taken."""

_LONGEST_WAIT_S: Final = 60
_SHOWN_CHARACTERS: Final = 300
_SHORTEST_SECRET: Final = 6
_DIGITS: Final = 12
# A server that may answer the same request better in a moment.
_BUSY: Final = (429, 500, 502, 503, 504)
_REMEDIES: Final[Mapping[int, str]] = {
    401: "check that the secret in [credentials] is right and has not expired",
    403: "check the secret in [credentials]; its account needs the right, and a token the scope",
    404: "check its address in release.toml",
}


class Stumbled(ServiceFailed):
    """A failure that may be gone in a moment; ``wait_s`` is what the server asked for.

    ``undone``: nothing was done, so that it may be asked again in any case.
    """

    wait_s: float = 0.0
    undone: bool = False


class TooLarge(ServiceFailed):
    """An answer has more bytes than it may have."""


class LimitReached(ServiceFailed):
    """So much was asked that nothing more is answered for now; ``left_s`` is for how long."""

    left_s: float = 0.0

    def until(self, reset: str) -> LimitReached:
        """The error with what ``x-ratelimit-reset`` says: seconds since 1970."""
        if reset.isascii() and reset.isdigit() and len(reset) < _DIGITS:
            self.left_s = max(int(reset) - time.time(), 0.0)
        return self


def worth_another_try(error: Exception) -> bool | float:
    """For ``retried``: whether the same request may be answered in a moment, and in which."""
    return isinstance(error, Stumbled) and (error.wait_s or True)


def nothing_done(error: Exception) -> Exception:
    """The same error, of a request of which it is certain that nothing came."""
    if isinstance(error, Waiting):
        return NotYet(
            who=error.who, problem=error.problem, remedy=error.remedy, details=error.details
        )
    if not isinstance(error, ServiceFailed):
        return error
    return NothingDone(
        service=error.service,
        action=error.action,
        problem=error.problem.removeprefix(f"{error.action}: "),
        remedy=error.remedy,
        details=error.details,
    )


class HttpErrors:
    """The errors of one server; ``hide`` gives the secrets that no message may hold.

    A 429 that does not say for how long is waited out for ``throttled_s``.
    """

    def __init__(
        self,
        service: str,
        base: str,
        hide: Callable[[], Collection[str]],
        *,
        throttled_is_undone: bool = False,
        throttled_s: float = 1.0,
    ) -> None:
        self.service = service
        self.base = base
        self._hide = hide
        self._throttled_is_undone = throttled_is_undone
        self._throttled_s = throttled_s

    @contextmanager
    def translated(self, action: str) -> Iterator[None]:
        """What httpx and httpcore raise is raised as ServiceFailed, worth another try."""
        import httpcore
        import httpx

        try:
            yield
        except (httpx.HTTPError, httpx.InvalidURL, httpcore.TimeoutException,
                httpcore.NetworkError, httpcore.ProtocolError, httpcore.ProxyError,
                httpcore.UnsupportedProtocol) as error:  # fmt: skip
            raise self._lost(action, error) from error

    def fail(self, action: str, problem: str, remedy: str = "") -> NoReturn:
        """Raise an error of this service that another try would not repair."""
        raise self.failed(action, problem, remedy)

    def failed(self, action: str, problem: str, remedy: str = "") -> ServiceFailed:
        """An error of this service that another try would not repair."""
        return ServiceFailed(
            service=self.service,
            action=action,
            problem=problem,
            remedy=remedy or f"check that {self.base} is the right address, and what it answers",
        )

    def too_large(self, action: str, most_bytes: int) -> TooLarge:
        """The error that an answer is when it has more bytes than these."""
        return TooLarge(
            service=self.service,
            action=action,
            problem=f"the answer is larger than {most_bytes:,} bytes",
            remedy=f"check that {self.base} is the right address, and what it answers",
        )

    def refused(self, answer: httpx.Response, action: str) -> Exception:
        """The error that an answer means: its status, and what the service said in one line."""
        status, waits = answer.status_code, answer.headers.get("retry-after", "")
        said, details = self._said(answer)
        problem = f"answered {status}: {said or answer.reason_phrase}".rstrip(": ")
        # GitHub: a secondary limit without Retry-After is over in a minute at the earliest
        secondary = status in (403, 429) and "secondary rate limit" in said.lower()
        busy = status in _BUSY or (status == 403 and bool(waits)) or secondary
        wait_s = wait_of(waits) or (_LONGEST_WAIT_S if secondary else 0.0)
        if answer.headers.get("x-ratelimit-remaining") == "0" and not waits:
            return LimitReached(
                service=self.service, action=action, problem=problem, details=details,
                remedy="its hourly limit is used up; run the same command again in an hour",
            ).until(answer.headers.get("x-ratelimit-reset", ""))  # fmt: skip
        if busy and wait_s > _LONGEST_WAIT_S:
            return Waiting(
                who=self.service,
                problem=f"{action}: it accepts no more requests before {until(wait_s)}",
                remedy="run the same command again then; this says nothing about the release",
            )
        if busy:
            error = self.stumbled(action, problem, details)
            error.wait_s = wait_s or (self._throttled_s if status == 429 else 0.0)
            error.undone = status == 429 and self._throttled_is_undone
            return error
        remedy = _REMEDIES.get(status, "run the same command again")
        return ServiceFailed(
            service=self.service, action=action, problem=problem, remedy=remedy, details=details
        )

    def holds_secret(self, text: str) -> bool:
        """Whether the text has a secret, and so may stand in no message."""
        return any(len(secret) >= _SHORTEST_SECRET and secret in text for secret in self._hide())

    def stumbled(self, action: str, problem: str, details: tuple[str, ...] = ()) -> Stumbled:
        """An error of this service that may be gone in a moment."""
        return Stumbled(
            service=self.service, action=action, problem=problem, details=details,
            remedy="run the same command again in a few minutes",
        )  # fmt: skip

    def _lost(self, action: str, error: Exception) -> ServiceFailed:
        kind = type(error).__name__
        words = re.sub(r"(?<!^)(?=[A-Z])", " ", kind).lower()
        # The text of an error may hold a whole address, with what was asked of it; ours does not.
        why = f" ({error})" if "too slow to wait for" in str(error) else ""
        if kind in ("ConnectError", "ConnectTimeout"):
            words = f"cannot be reached: {words}"
        elif kind.endswith("Timeout"):
            words = f"timed out: {words}"
        found = self.stumbled(action, f"{words} at {self.base}{why}")
        # A connection that was never made carried nothing.
        found.undone = kind in ("ConnectError", "ConnectTimeout")
        return found

    def _said(self, answer: httpx.Response) -> tuple[str, tuple[str, ...]]:
        """The server's own words: its message, or else the beginning of its text as a detail."""
        try:
            content = json_of(answer.content, self.service, "", "").plain
        except ServiceFailed:
            content = None
        words: list[object] = []
        if isinstance(content, dict):
            errors = content.get("errors")
            words += [content.get("message"), content.get("error")]
            for entry in errors if isinstance(errors, list) else ():
                known = isinstance(entry, dict)
                words.append(entry.get("message") or entry.get("code") if known else entry)
        said = " ".join(" ".join(word for word in words if isinstance(word, str)).split())
        text = answer.content.decode(errors="replace")[: 1 << 16]
        text = " ".join(re.sub(r"<[^>]*>", " ", text).split())
        if self.holds_secret(said + text):
            return "(its message is hidden, for it holds a secret)", ()
        said, text = printable(said[:_SHOWN_CHARACTERS]), printable(text[:_SHOWN_CHARACTERS])
        return said, () if said or not text else (text,)
