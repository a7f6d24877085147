"""Asking: one HTTP request to a service with its time-outs, retries and errors in our words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.errors import ServiceFailed, Waiting
from plugins.services.patience import quiet_stamina

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from plugins.model.secret import Secret

__all__ = ["Asker", "refused"]

_ATTEMPTS: Final = 4
_LONGEST_WAIT_S: Final = 60
_BUSY: Final = (429, 500, 502, 503, 504)
_SHOWN_CHARACTERS: Final = 300


class Asker:
    """One service at one base address; ``scheme`` and ``secret`` make the Authorization header.

    The secret is read for each request and is in no message: an answer that repeats it is cut.
    """

    def __init__(
        self,
        service: str,
        base: str,
        *,
        scheme: str = "",
        secret: Secret | None = None,
        timeout_s: float = 30.0,
    ) -> None:
        self.service = service
        self.base = base
        self._scheme = scheme
        self._secret = secret
        self._timeout_s = timeout_s
        self._opened: httpx.Client | None = None

    @property
    def client(self) -> httpx.Client:
        """The connections, opened at first use."""
        if self._opened is None:
            import ssl
            import weakref

            import httpx

            # Where no TLS is spoken nobody has to be trusted; reading whom to trust costs 50 ms.
            plain = self.base.startswith("http:")
            self._opened = httpx.Client(
                base_url=self.base,
                timeout=httpx.Timeout(self._timeout_s),
                limits=httpx.Limits(max_connections=16, max_keepalive_connections=8),
                headers={"User-Agent": "pep101"},
                verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if plain else True,
            )
            # Whoever drops a service need not know that it has connections.
            weakref.finalize(self, self._opened.close)
        return self._opened

    def ask(self, method: str, path: str, *, again: bool, **more: Any) -> httpx.Response:
        """The answer, whatever its status but 429 and, if asked again in vain, 5xx.

        ``again`` says that the request may be sent twice; then a lost answer or a busy server is
        not the end. One that was throttled was not done, so it is sent again in any case. Raises
        ServiceFailed, and Waiting for a service that wants us to come back later.
        """
        stamina = quiet_stamina()

        attempts = stamina.retry_context(
            on=_pause_s,
            attempts=_ATTEMPTS,
            timeout=None,
            wait_initial=0.2,
            wait_max=5.0,
            wait_jitter=0.2,
        )
        try:
            for attempt in attempts:
                with attempt:
                    return self._once(method, path, again=again, **more)
        except _Again as error:
            raise error.told from error.told.__cause__
        message = "stamina tried and told nothing"
        raise AssertionError(message)

    def _once(self, method: str, path: str, *, again: bool, **more: Any) -> httpx.Response:
        import httpx

        try:
            answer = self.client.request(method, path, headers=self._headers(more), **more)
        except httpx.HTTPError as error:
            told = self._lost(method, path, error)
            # A connection that was never made carried nothing.
            if again or isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
                raise _Again(told) from error
            raise told from error
        if answer.status_code == 429:
            raise self._throttled(answer)
        if again and answer.status_code in _BUSY:
            raise _Again(self.refusal(answer))
        return answer

    def _headers(self, more: dict[str, Any]) -> dict[str, str]:
        headers = dict(more.pop("headers", {}))
        if self._secret is not None:
            text = self._secret.reveal()
            headers["Authorization"] = f"{self._scheme} {text}" if self._scheme else text
        return headers

    def _lost(self, method: str, path: str, error: Exception) -> ServiceFailed:
        words = re.sub(r"(?<!^)(?=[A-Z])", " ", type(error).__name__).lower()
        return ServiceFailed(
            service=self.service,
            action=f"{method} {path}",
            problem=f"{words} at {self.base}",
            remedy="look whether it can be reached, then run the same command again",
        )

    def _throttled(self, answer: httpx.Response) -> Exception:
        text = answer.headers.get("retry-after", "")
        wait_s = int(text) if text.isdigit() else 1
        if wait_s > _LONGEST_WAIT_S:
            minutes = -(-wait_s // 60)
            return Waiting(
                who=self.service,
                problem=f"it takes no more calls for {minutes} min",
                remedy="run the same command again then",
            )
        return _Again(self.refusal(answer), float(wait_s))

    def refusal(self, answer: httpx.Response) -> ServiceFailed:
        """The error that this answer means, with what the service said."""
        asked = f"{answer.request.method} {answer.request.url.path}"
        return refused(self.service, asked, answer, self._secret)


class _Again(Exception):
    """The request is worth sending again; ``told`` is what to tell if it is in vain."""

    def __init__(self, told: ServiceFailed, wait_s: float = 0.0) -> None:
        super().__init__()
        self.told = told
        self.wait_s = wait_s


def _pause_s(error: Exception) -> bool | float:
    if not isinstance(error, _Again):
        return False
    return error.wait_s or True


_REMEDIES: Final[Mapping[int, str]] = {
    401: "see that its secret in [credentials] is right and not expired",
    403: "ask its administrators for the right to write",
    404: "see that its address in [hosts] is right",
}


def refused(
    service: str, action: str, answer: httpx.Response, secret: Secret | None = None
) -> ServiceFailed:
    """The error that an answer means: its status, and what its text says in one line."""
    said = " ".join(re.sub(r"<[^>]*>", " ", answer.text).split())[:_SHOWN_CHARACTERS]
    if secret is not None and secret.reveal() in said:
        said = "(what it said holds a secret)"
    return ServiceFailed(
        service=service,
        action=action,
        problem=f"answered {answer.status_code} {answer.reason_phrase}".rstrip(),
        remedy=_REMEDIES.get(answer.status_code, "run the same command again"),
        details=(said,) if said else (),
    )
