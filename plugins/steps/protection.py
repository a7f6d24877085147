"""Protection: the rules of upstream's branches, lifted for one push and put back as they were.

The lease is a file: it is written before the rules are lifted, holds how they were, and goes
only after a look has found them as before. While it is there, every command says so (rule 11).
"""

from __future__ import annotations

import json
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NoReturn

from doit_receipts.durable import write_whole
from doit_receipts.errors import ReleaseError, StepFailed
from doit_receipts.outside import is_held
from doit_receipts.probe import Probe, absent, different, identical

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from types import FrameType

    from plugins.model.layout import Layout
    from plugins.model.release import Release
    from plugins.ports.github import Protection
    from plugins.ports.progress import Progress

__all__ = [
    "MANAGERS",
    "copy_rules",
    "deletable",
    "lease_is_open",
    "lifted",
    "look_copied",
    "look_opened",
    "look_restored",
    "look_restricted",
    "open_to_all",
    "restore",
    "restrict",
]

MANAGERS: Final = "release-managers"
"""The team at GitHub whose members alone may merge into a security branch."""

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def lease_is_open(layout: Layout) -> str:
    """What every command has to shout while the rules are lifted; "" if they are not.

    Quick: it reads one small file, and most of the time none.
    """
    try:
        saved = json.loads(layout.lease.read_bytes())
        branches = ", ".join(sorted(saved["branches"]))
    except FileNotFoundError:
        return ""
    except (ValueError, KeyError, TypeError):
        branches = "upstream (its file cannot be read)"
    return (
        f"the branch protection of {branches} is lifted for administrators; "
        "doit publish restores it"
    )


@contextmanager
def lifted(
    protection: Protection, layout: Layout, branches: Sequence[str], progress: Progress
) -> Iterator[None]:
    """In the block administrators may push to the branches; afterwards all is as it was.

    Restored on every way out, also on Ctrl-C, SIGTERM and a lost terminal. A process that is
    killed leaves the lease file, and ``restore`` puts the rules back. Branches without rules,
    or whose rules spare administrators anyway, are left alone. Source: M01, M23.
    """
    with _heard_signals() as signals:
        saved: dict[str, Any] = {}
        try:
            saved = _save(protection, layout, branches)
            for branch in saved:
                progress.say(f"lifting the protection of {branch}")
                protection.enforce_admins(branch, on=False)
            yield
        finally:
            signals.restoring = True
            progress.say("restoring the protection of upstream's branches")
            # A plan has shown already how what an earlier run left is put back.
            left = (saved, ()) if saved or is_held() else _lease(layout)
            _put_back(protection, layout, *left)


@contextmanager
def deletable(
    protection: Protection, layout: Layout, branch: str, progress: Progress
) -> Iterator[None]:
    """In the block administrators may delete the branch; if it stays, its rules are as before.

    GitHub lets nobody delete a protected branch, administrators either, unless its rules allow
    deletions; those of a branch that is gone are nobody's. Source: GitHub's "About protected
    branches" (allow deletions). A process that is killed leaves the lease file, as ``lifted`` does.
    """
    with _heard_signals() as signals:
        saved: dict[str, Any] = {}
        try:
            left = _restored_first(protection, layout)
            rules = left.get(branch) or protection.rules(branch)
            if rules is not None:
                _write_lease(layout, {branch: rules}, deletes=(branch,))
                saved = {branch: rules}
                progress.say(f"allowing the deletion of {branch}")
                open_ = {"enforce_admins": False, "allow_deletions": True}
                protection.protect(branch, {**rules, **open_})
            yield
        finally:
            signals.restoring = True
            if not is_held():  # in a plan the branch would be gone by now
                _put_back(protection, layout, *((saved, (branch,)) if saved else _lease(layout)))


def restore(protection: Protection, layout: Layout) -> dict[str, str]:
    """The rules are as the lease saved them, verified by a second look; the lease is closed.

    Without a lease nothing is done, nor for a branch that was to be deleted and is gone. Raises
    StepFailed with both sides if they cannot be made equal; the lease stays open then.
    """
    _put_back(protection, layout, *_lease(layout))
    return {}


def _put_back(
    protection: Protection, layout: Layout, saved: Mapping[str, Any], deletes: Sequence[str]
) -> None:
    """What was saved is so again. It is given, for a plan writes no lease that could be read."""
    if not saved:
        return
    for branch, before in saved.items():
        try:
            if branch in deletes:
                now = _after_deletion(protection, branch, before)
                if now is None:
                    continue
            else:
                protection.enforce_admins(branch, on=bool(before["enforce_admins"]))
                now = before if is_held() else protection.rules(branch)
        except ReleaseError as error:
            raise StepFailed(
                where=f"branch protection of {branch}",
                problem=f"IT IS STILL LIFTED: {error.problem}",
                remedy="run doit publish again, or tick 'Do not allow bypassing' in GitHub's "
                "settings of the branch",
                details=(str(error), *error.details),
            ) from error
        if now != before:
            raise StepFailed(
                where=f"branch protection of {branch}",
                problem="it differs from what it was before the release",
                remedy="correct it in GitHub's settings, then run the same command again",
                details=(f"before {json.dumps(before, sort_keys=True)}",
                         f"now    {json.dumps(now, sort_keys=True)}"),
            )  # fmt: skip
    if layout.lease.exists() and not is_held():
        write_whole(_closed(layout), layout.lease.read_bytes())
        layout.lease.unlink()


def look_restored(protection: Protection, layout: Layout) -> Probe:
    """Whether every branch that was lifted has its rules again (M23)."""
    if layout.lease.exists():
        return absent(lease_is_open(layout))
    try:
        saved = json.loads(_closed(layout).read_bytes())["branches"]
    except FileNotFoundError:
        return identical({"restored": "nothing was lifted"})
    for branch, before in saved.items():
        now = protection.rules(branch)
        if now != before:
            return different(
                f"the protection of {branch} differs from what it was before the release",
                "correct it in GitHub's settings of the branch, or ask who changed it; "
                "then run the same command again",
                (f"before {json.dumps(before, sort_keys=True)}",
                 f"now    {json.dumps(now, sort_keys=True)}"),
            )  # fmt: skip
    return identical({"restored": ", ".join(sorted(saved)) or "nothing was lifted"})


def look_copied(release: Release, protection: Protection) -> Probe:
    """Whether the new branch has the rules of the one before it (M21)."""
    new, old = release.version.series, _series_before(release)
    wanted, found = protection.rules(old), protection.rules(new)
    if wanted is None:
        return different(
            f"{old} has no protection that could be copied to {new}",
            f"protect {new} by hand in GitHub's settings, then run doit adopt",
            (f"{old}: none", f"{new}: {json.dumps(found, sort_keys=True)}"),
            adopted={"branch": new, "as": "set by hand"},
        )
    if found is None:
        return absent(f"{new} is not protected yet")
    if found != wanted:
        return different(
            f"{new} is protected differently from {old}",
            "compare both sides; if that is right, run doit adopt",
            (f"{old}: {json.dumps(wanted, sort_keys=True)}",
             f"{new}: {json.dumps(found, sort_keys=True)}"),
            adopted={"branch": new, "as": "set by hand"},
        )  # fmt: skip
    return identical({"branch": new, "as": old})


def copy_rules(release: Release, protection: Protection) -> dict[str, str]:
    """The new branch has the rules of the one before it (M21)."""
    old = _series_before(release)
    rules = protection.rules(old)
    if rules is None:
        raise _unprotected(old)
    protection.protect(release.version.series, rules)
    return {"branch": release.version.series, "as": old}


def look_restricted(release: Release, protection: Protection) -> Probe:
    """Whether nobody but release managers may merge into the branch (NEW37)."""
    branch = release.branch
    rules = protection.rules(branch)
    if rules is None:
        return different(
            f"{branch} has no protection that could be restricted",
            f"protect {branch} in GitHub's settings, then run the same command again",
            (f"{branch}: none", f"wanted: merged into by {MANAGERS} alone"),
        )
    if rules["restrictions"] != _restrictions(rules):
        return absent(f"{branch} may be merged into by others than release managers")
    return identical({"branch": branch, "teams": MANAGERS})


def restrict(release: Release, protection: Protection) -> dict[str, str]:
    """Nobody but release managers may merge into the branch, which gets security fixes only.

    Apps that may are left as they are. Source: devguide, development-cycle.rst, "Merging of pull
    requests to security branches is restricted to release managers".
    """
    branch = release.branch
    rules = protection.rules(branch)
    if rules is None:
        raise _unprotected(branch)
    protection.protect(branch, {**rules, "restrictions": _restrictions(rules)})
    return {"branch": branch, "teams": MANAGERS}


def look_opened(release: Release, protection: Protection) -> Probe:
    """Whether the core team may merge into the branch."""
    branch = release.branch
    rules = protection.rules(branch)
    if rules is None:
        return different(
            f"{branch} has no protection",
            f"protect {branch} in GitHub's settings, then run the same command again",
            (f"{branch}: none", "wanted: protected, and merged into by the core team"),
        )
    if rules["restrictions"] is not None:
        return absent(f"{branch} may be merged into by few people only")
    return identical({"branch": branch, "teams": "everybody who may write"})


def open_to_all(release: Release, protection: Protection) -> dict[str, str]:
    """Whoever may write to the repository may merge into the branch; its other rules stay."""
    branch = release.branch
    rules = protection.rules(branch)
    if rules is None:
        raise _unprotected(branch)
    protection.protect(branch, {**rules, "restrictions": None})
    return {"branch": branch, "teams": "everybody who may write"}


def _unprotected(branch: str) -> StepFailed:
    return StepFailed(
        where=f"branch {branch}",
        problem="has no protection",
        remedy="protect it in GitHub's settings, then run the same command again",
    )


def _restrictions(rules: Mapping[str, Any]) -> dict[str, Any]:
    apps = (rules["restrictions"] or {}).get("apps", [])
    return {"users": [], "teams": [MANAGERS], "apps": apps}


def _series_before(release: Release) -> str:
    return f"{release.version.major}.{release.version.minor - 1}"


def _save(protection: Protection, layout: Layout, branches: Sequence[str]) -> dict[str, Any]:
    """The lease holds how the rules are, before the first of them is lifted.

    Returns the branches to lift, with their rules. A lease of a run that was killed is closed
    first: what it saved is older, and true.
    """
    left = _restored_first(protection, layout)
    found = {branch: left.get(branch) or protection.rules(branch) for branch in branches}
    enforced = {
        branch: rules for branch, rules in found.items() if rules and rules["enforce_admins"]
    }
    if enforced:
        _write_lease(layout, enforced)
    return enforced


def _restored_first(protection: Protection, layout: Layout) -> dict[str, Any]:
    """What a run that was killed left lifted is as it was.

    A plan has shown that already, for a run does it before all its tasks: there these are the
    rules, by branch, that the branches have by then.
    """
    if is_held():
        return _lease(layout)[0]
    restore(protection, layout)
    return {}


def _write_lease(layout: Layout, saved: Mapping[str, Any], *, deletes: Sequence[str] = ()) -> None:
    content: dict[str, Any] = {"format": 1, "branches": dict(saved)}
    if deletes:
        content["deletes"] = list(deletes)
    write_whole(layout.lease, json.dumps(content, indent=1, sort_keys=True).encode() + b"\n")


def _after_deletion(
    protection: Protection, branch: str, before: Mapping[str, Any]
) -> dict[str, Any] | None:
    """The rules of a branch that was to be deleted, put back if it is there; None if it is gone."""
    now = protection.rules(branch)
    if now is None or now == before:
        return now
    protection.protect(branch, before)
    return dict(before) if is_held() else protection.rules(branch)


def _lease(layout: Layout) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The rules by branch, and the branches that were to be deleted."""
    try:
        content: dict[str, Any] = json.loads(layout.lease.read_bytes())
        found: dict[str, Any] = content["branches"]
    except FileNotFoundError:
        return {}, ()
    except (ValueError, KeyError, TypeError) as error:
        raise StepFailed(
            where=str(layout.lease),
            problem="it records lifted protection, but cannot be read",
            remedy="see in GitHub's settings that the branch is protected as it was, then delete "
            "the file",
        ) from error
    return found, tuple(content.get("deletes", ()))


def _closed(layout: Layout) -> Path:
    return layout.lease.with_name("restored.json")


class _Signals:
    """The first signal that ends the block does so; while rules are put back, none does.

    The handler that was set before decides how. One that came while rules were put back
    comes again when they are, unless something else ends the step.
    """

    def __init__(self) -> None:
        self.restoring = False
        self._came = 0
        self._before: dict[int, Any] = {}

    def begin(self) -> None:
        """They are heard. A signal that is ignored, as under nohup, stays ignored."""
        for number in _SIGNALS:
            if signal.getsignal(number) != signal.SIG_IGN:
                self._before[number] = signal.getsignal(number)
                signal.signal(number, self._hear)

    def end(self) -> None:
        """They are handled as before."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def again(self) -> None:
        """One that came too early comes now."""
        if self._came:
            signal.raise_signal(self._came)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if self.restoring:
            self._came = self._came or number
            return
        before = self._before[number]
        stop = before if callable(before) else _exit
        try:
            stop(number, frame)
        except BaseException:
            # A second one, before the block's end begins to restore, would keep it from that.
            self.restoring = True
            raise


def _exit(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


@contextmanager
def _heard_signals() -> Iterator[_Signals]:
    heard = _Signals()
    # only the main thread may set handlers, and only it is interrupted
    if threading.current_thread() is not threading.main_thread():
        yield heard
        return
    try:
        heard.begin()
        yield heard
    finally:
        heard.end()
    heard.again()
