"""Sigstore signing: bundles made with an identity token, side by side and within a time."""

from __future__ import annotations

import queue
import shlex
import threading
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.errors import ServiceFailed, SettingsError, Waiting
from plugins.model.series import SigstoreIdentity
from plugins.services.retry import quiet_stamina
from plugins.services.sigstore_bundle import hashed, line_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from plugins.model.secret import Secret

__all__ = ["TIMEOUT_S", "SigstoreSigning", "bounded"]

TIMEOUT_S: Final = 180.0
"""How long one more bundle may take: the log answers once the entry is in it for good."""
_AT_ONCE: Final = 8
_ATTEMPTS: Final = 3
_LOGIN: Final = "python -m sigstore get-identity-token"


class SigstoreSigning:
    """One login, for as many files as there are; ``name`` is the service's in errors."""

    def __init__(
        self, name: str, token: Secret | None, timeout_s: float, *, rehearsed: bool
    ) -> None:
        self._name = name
        self._token = token
        self._timeout_s = timeout_s
        self._rehearsed = rehearsed

    def sign(
        self, digests: Collection[str], by: SigstoreIdentity, trust: Any
    ) -> Iterator[tuple[str, bytes]]:
        """A bundle of each file as it is made, by the sha256 of its bytes."""
        files = {digest: digest for digest in digests}
        return self._each(files, by, trust, lambda signer, it: signer.sign_artifact(hashed(it)))

    def sign_statements(
        self, payloads: Collection[bytes], by: SigstoreIdentity, trust: Any
    ) -> Iterator[tuple[str, bytes]]:
        """A bundle of each statement as it is made, by the sha256 of its payload."""
        from sigstore.dsse import Statement

        statements = {sha256(payload).hexdigest(): Statement(payload) for payload in payloads}
        return self._each(statements, by, trust, lambda signer, it: signer.sign_dsse(it))

    def _each(
        self,
        things: Mapping[str, Any],
        by: SigstoreIdentity,
        trust: Any,
        signed: Callable[[Any, Any], Any],
    ) -> Iterator[tuple[str, bytes]]:
        """The bundle of each thing by its name, signed side by side.

        One that fails keeps no other from being made: what went wrong first is raised behind them.
        """
        signer = self._signer(by, trust)
        wanted = sorted(things)
        todo = _queue(wanted)
        answers = _side_by_side(
            lambda name: self._signed(lambda: signed(signer, things[name])), todo
        )
        worst: Exception | None = None
        try:
            for _ in wanted:
                try:
                    digest, made = answers.get(timeout=self._timeout_s)
                except queue.Empty:
                    worst = worst or TimeoutError(_silence(self._timeout_s))
                    break
                if not isinstance(made, Exception):
                    yield digest, made
                elif worst is None or isinstance(made, _ends_of_a_login()):
                    worst = made
        finally:
            # Whoever asks for no more bundles gets none into the log.
            with suppress(queue.Empty):
                while True:
                    todo.get_nowait()
        if worst is not None:
            raise self._error(worst, by) from worst

    def _signer(self, by: SigstoreIdentity, trust: Any) -> Any:
        """The client's signer, with a certificate for the token."""
        from sigstore.oidc import IdentityError, IdentityToken
        from sigstore.sign import Signer, SigningContext

        if self._token is None:
            raise SettingsError(
                where="[credentials] sigstore",
                problem="is missing",
                remedy='write sigstore = "file:~/sigstore-token" (mode 0600) or "env:NAME"',
            )
        try:
            # Without a browser the client asks for a code, and the file has its question too.
            token = IdentityToken(self._token.reveal().split()[-1])
        except SettingsError as error:
            problem = f"{error.where} {error.problem}"
            raise self._login_again(problem, by) from error
        except IdentityError:
            # Not chained: what the client says may hold a part of the token.
            problem = "the identity token has expired, or is not one for Sigstore"
            raise self._login_again(problem, by) from None
        found = SigstoreIdentity(token.identity, token.federated_issuer)
        if found != by:
            problem = f"the identity token is for {found}, wanted {by}"
            raise self._login_again(problem, by)
        try:
            context = SigningContext.from_trust_config(trust)
            return bounded(lambda: Signer(token, context), self._timeout_s)
        except Exception as error:
            # The client's errors have no base of their own.
            raise self._error(error, by) from error

    def _signed(self, act: Callable[[], Any]) -> bytes:
        """A new bundle. Asked again where the log did not answer: either entry is good."""
        for attempt in quiet_stamina().retry_context(
            on=lambda error: not isinstance(error, _ends_of_a_login()),
            attempts=_ATTEMPTS,
            timeout=None,
            wait_initial=0.5,
            wait_max=5.0,
        ):
            with attempt:
                text: str = act().to_json()
                return text.encode()
        message = "the attempts ended without a result or an error"
        raise AssertionError(message)

    def _error(self, error: Exception, by: SigstoreIdentity) -> ServiceFailed | Waiting:
        if isinstance(error, _ends_of_a_login()):
            return self._login_again("the identity token has expired", by)
        return self.failed(line_of(error))

    def _login_again(self, problem: str, by: SigstoreIdentity) -> Waiting:
        place = self._token.place if self._token is not None else ""
        kind, _, name = place.partition(":")
        if self._rehearsed:
            remedy = "start the rehearsal again: its release manager then logs in"
        elif kind == "file":
            file = shlex.quote(name)
            remedy = f"log in as {by}: rm -f {file}; (umask 077; {_LOGIN} > {file})"
        else:
            remedy = f'log in as {by}: export {name}="$({_LOGIN})"'
        again = "; then run the same command again at once"
        return Waiting(who="RM", problem=problem, remedy=f"{remedy}{again}")

    def failed(self, problem: str) -> ServiceFailed:
        """The error of signing for this problem."""
        return ServiceFailed(
            service=self._name,
            action="sign",
            problem=problem,
            remedy="run the same command again; finished bundles are kept",
        )


def bounded(act: Callable[[], Any], timeout_s: float) -> Any:
    """What it returns or raises, unless it takes longer: then TimeoutError."""
    try:
        _, found = _side_by_side(lambda _: act(), _queue([""])).get(timeout=timeout_s)
    except queue.Empty as error:
        raise TimeoutError(_silence(timeout_s)) from error
    if isinstance(found, Exception):
        raise found
    return found


def _silence(timeout_s: float) -> str:
    return f"no answer for {timeout_s:.0f} s"


def _ends_of_a_login() -> tuple[type[Exception], ...]:
    """What the client raises once token or certificate have expired."""
    from sigstore.oidc import ExpiredIdentity
    from sigstore.sign import ExpiredCertificate  # type: ignore[attr-defined]

    return ExpiredIdentity, ExpiredCertificate


def _queue(names: Collection[str]) -> queue.SimpleQueue[str]:
    todo: queue.SimpleQueue[str] = queue.SimpleQueue()
    for name in names:
        todo.put(name)
    return todo


def _side_by_side(
    act: Callable[[str], Any], todo: queue.SimpleQueue[str]
) -> queue.SimpleQueue[tuple[str, Any]]:
    """What is done for each name comes out as it is done: its result, or what it raised.

    Done by daemons: the client knows no time-out, and a server that never answers must not keep
    this process from its end.
    """
    done: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()

    def work() -> None:
        with suppress(queue.Empty):
            while True:
                name = todo.get_nowait()
                try:
                    done.put((name, act(name)))
                except Exception as error:  # noqa: BLE001 - whoever waits for it raises it
                    done.put((name, error))

    for _ in range(min(_AT_ONCE, todo.qsize())):
        threading.Thread(target=work, daemon=True).start()
    return done
