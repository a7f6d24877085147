"""Accidents of a release day: Sigstore. What a person reads, and what is so.

In none is anything lost, doubled or announced wrongly: when it is over, the next ``doit publish``
ends as a day without it, to the byte.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from plugins.rehearsal import rekor, sigstore
from plugins.rehearsal.store import ALWAYS
from tests.publish.cases import assert_nothing_shown, assert_nothing_told, assert_told, ends_alike
from tests.publish.day import DONE, WAITING

if TYPE_CHECKING:
    from tests.publish.cases import Observed
    from tests.publish.walk import Walk

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("fault", ["sigstore.503", "sigstore.drop_after_write", "sigstore.slow"])
def test_log_of_sigstore_that_fails_once(walk: Walk, observed: Observed, fault: str) -> None:
    day = walk.day
    day.restore("sign_bundles")
    day.order(fault, "2" if fault == "sigstore.slow" else "")
    ended = day.doit("run", "sign_bundles")
    assert ended.status == DONE, ended
    assert any(each["event"] == fault for each in day.store.happened("faults"))
    ends_alike(walk)
    observed(f"{fault}, sign_bundles", "goes on by itself")


def test_log_of_sigstore_that_is_down(walk: Walk, observed: Observed) -> None:
    day = walk.day
    day.restore("sign_bundles")
    day.order("sigstore.503", times=ALWAYS)
    line = assert_told(day.publish(), "sign_bundles", "503", "finished bundles are kept")
    assert_nothing_shown(day)
    assert_nothing_told(day)
    ends_alike(walk)
    observed("the log of Sigstore is down", line)


@pytest.mark.parametrize(
    ("fault", "word"),
    [("sigstore.foreign_identity", "accounts.google.com"), ("sigstore.expired_token", "expired")],
)
def test_token_that_signs_nothing_for_users(
    walk: Walk, observed: Observed, fault: str, word: str
) -> None:
    """release-tools#161: found after the release that bundles were by the wrong provider."""
    day = walk.day
    day.restore("sign_bundles")
    entries = len(rekor.entries(day.store))
    day.order(fault)
    sigstore.sign_in(day.store)
    ended = day.publish()
    line = assert_told(ended, "sign_bundles", "RM: the identity token", word, status=WAITING)
    assert len(rekor.entries(day.store)) == entries
    assert_nothing_shown(day)
    sigstore.sign_in(day.store)
    ends_alike(walk)
    observed(f"{fault}, sign_bundles", line)


def test_identity_that_is_declared_otherwise_after_it_signed(
    walk: Walk, observed: Observed
) -> None:
    """Nothing that users could not verify is shown: who signs is an input of the signatures."""
    day = walk.day
    day.restore("switch_files")
    github, google = "https://github.com/login/oauth", "https://accounts.google.com"
    day.declare(github, google)
    line = assert_told(
        day.publish(), "sign_bundles", f"wanted rm@example.org at {google}", status=WAITING
    )
    assert_nothing_shown(day)
    assert_nothing_told(day)
    day.declare(google, github)
    ends_alike(walk)
    observed("another identity is declared after signing", line)


def test_bundles_that_are_lost_here_after_users_saw_them(walk: Walk, observed: Observed) -> None:
    """Others would be as good; what users see is not replaced all the same."""
    day = walk.day
    day.restore("purge_files")
    shown = {path: path.read_bytes() for path in (day.downloads / "3.13.6").glob("*.sigstore")}
    assert shown
    shutil.rmtree(day.work / "bundles")
    ended = day.doit("run", "switch_files")
    assert ended.status == DONE, ended
    assert {path: path.read_bytes() for path in shown} == shown
    assert len(list((day.work / "bundles").iterdir())) == len(shown)
    ends_alike(walk)
    observed("bundles lost on this machine", "brought back from the host, and verified")
