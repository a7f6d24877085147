"""Accidents of a release day, each with the real command: what a person is told, and what is so.

In none is anything lost, doubled or announced wrongly: when the accident is over, the next
``doit publish`` ends as a day without it, to the byte. What an accident itself left in the
world, such as a colleague's commit, is named where it is.
"""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from plugins.rehearsal import cache, experts, rekor, remotes, sigstore
from plugins.rehearsal.gnupg_home import GnupgHome
from plugins.rehearsal.site_rows import Rows
from plugins.rehearsal.store import ALWAYS
from tests.publish.day import DONE, FAILED, WAITING
from tests.publish.evening import acts, differences, world_of
from tests.source_world import git

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.ended import Ended
    from tests.publish.day import Day
    from tests.publish.walk import Walk

    Observed = Callable[[str, str], None]

pytestmark = pytest.mark.slow

FTP = "/srv/www.python.org/ftp/python"
TAG = "v3.13.6"
ARCHIVE = "Python-3.13.6.tgz"


# ── what every case asks ────────────────────────────────────────────────────────────────────


def assert_alike(walk: Walk, but: tuple[str, ...] = ()) -> None:
    """The world is that of an undisturbed day, and each public act was done as often as there."""
    found = differences(world_of(walk.day), walk.world)
    assert not [name for name in found if name not in but], found
    unlike = {name: times for name, times in acts(walk.day).items() if walk.acts[name] != times}
    assert not {name for name in unlike if not name.startswith(but)}, unlike


def ends_alike(walk: Walk, but: tuple[str, ...] = ()) -> Ended:
    """The accident is over; now everything gets done, as on an undisturbed day."""
    walk.day.store.save("faults", {})
    ended = walk.day.go_on()
    assert ended.status == DONE, ended
    assert_alike(walk, but)
    return ended


def assert_told(ended: Ended, task: str, *words: str, status: int = FAILED) -> str:
    """The command ended so, with no traceback, and its one line about the task has the words."""
    assert ended.status == status, ended
    assert "Traceback" not in ended.said, ended
    line = ended.line_of(task)
    for word in words:
        assert word in line, (word, line, ended)
    return line


def assert_nothing_told(day: Day) -> None:
    """Nobody outside was told that there is a release."""
    told = [each for each in day.store.load("mail", []) if "available" in each["subject"]]
    assert not told
    assert not day.store.load("forum", [])
    assert not any(row["is_published"] for row in Rows(day.store).table("release").values())


def assert_protected(day: Day) -> None:
    """No rule of upstream is lifted, and nothing says so."""
    assert all(rules["enforce_admins"] for rules in day.store.load("protection", {}).values())
    assert not day.lease.exists()


def assert_nothing_shown(day: Day) -> None:
    """Users find nothing of the release on the downloads host."""
    assert not (day.downloads / "3.13.6").exists() or not list((day.downloads / "3.13.6").iterdir())


# ── the schedule ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("peps.other_phase", ("release.phase", "security at peps.python.org")),
        ("peps.unknown_status", ("release.phase", "status is the text 'hibernating'")),
    ],
)
def test_branch_that_is_in_another_phase(
    walk: Walk, observed: Observed, fault: str, words: tuple[str, ...]
) -> None:
    day = walk.day
    day.restore("check_schedule")
    day.order(fault, times=ALWAYS)
    line = assert_told(day.publish(), "check_schedule", *words)
    assert_nothing_told(day)
    ends_alike(walk)
    observed(f"{fault}, check_schedule", line)


@pytest.mark.parametrize("fault", ["peps.500", "peps.malformed", "peps.endless"])
def test_schedule_that_cannot_be_looked_up_warns(
    walk: Walk, observed: Observed, fault: str
) -> None:
    day = walk.day
    day.restore("check_schedule")
    day.order(fault, times=ALWAYS)
    ended = day.publish()
    assert "Traceback" not in ended.said, ended
    assert "the phase of 3.13 can't be looked up" in ended.out
    ends_alike(walk)
    observed(f"{fault}, check_schedule", "warns, and goes on")


def test_schedule_that_somebody_changed_meanwhile(walk: Walk, observed: Observed) -> None:
    day = walk.day
    day.restore("date_pep")
    store = day.store.load("github", {})
    path = "python/peps/release_management/python-releases.toml"
    due = 'stage = "3.13.6"\nstate = "expected"\ndate = '
    text = store["texts"][path]
    at = text.index(due)
    other = due.replace("expected", "actual") + "2001-02-03" + text[at + len(due) + 10 :]
    day.store.save("github", {**store, "texts": {**store["texts"], path: text[:at] + other}})
    line = assert_told(day.publish(), "date_pep", "says that 3.13.6 was released on 2001-02-03")
    assert not [each for each in day.store.load("github", {})["pulls"]
                if each["repository"] == "python/peps"]  # fmt: skip
    day.store.save("github", {**day.store.load("github", {}), "texts": store["texts"]})
    ends_alike(walk)
    observed("schedule changed meanwhile, date_pep", line)


def test_pull_request_of_the_schedule_that_nobody_merges(walk: Walk, observed: Observed) -> None:
    day = walk.day
    day.restore("await_schedule")
    day.order("peps.never_merged", times=ALWAYS)
    line = assert_told(day.publish(), "await_schedule", "does not state yet", status=WAITING)
    late = day.publish(later=timedelta(days=9))
    assert_told(late, "await_schedule", "ask an editor of the PEPs to merge it")
    ends_alike(walk)
    observed("pull request that nobody merges, await_schedule", line)


# ── the hosts ───────────────────────────────────────────────────────────────────────────────


def test_connection_dropped_at_each_tenth_of_an_upload(walk: Walk, observed: Observed) -> None:
    day, stage = walk.day, walk.stages["stage_files"]
    size = sum(path.stat().st_size for path in (day.work / "src").glob("Python-*"))
    for tenth in range(10):
        day.restore("stage_files")
        day.order("ssh.drop", str(size * tenth // 10))
        ended = day.doit("run", "stage_files")
        assert ended.status == DONE, (tenth, ended)
        assert any(each["event"] == "ssh.drop" for each in day.store.happened("faults")), tenth
        assert differences(world_of(day), stage.world) == {}, tenth
    ends_alike(walk)
    observed("connection dropped during upload", "10 of 10 tenths: goes on by itself, same bytes")


def test_connection_that_always_drops(walk: Walk, observed: Observed) -> None:
    day = walk.day
    day.restore("stage_files")
    day.order("ssh.drop", "0", times=ALWAYS)
    line = assert_told(day.publish(), "stage_files", "x ")
    assert_nothing_shown(day)
    ends_alike(walk)
    observed("connection that always drops", line)


def test_host_disk_full(walk: Walk, observed: Observed) -> None:
    day = walk.day
    day.restore("stage_files")
    day.order("ssh.disk_full", times=ALWAYS)
    ended = day.publish()
    line = assert_told(ended, "stage_files", "full")
    assert_nothing_shown(day)
    assert_nothing_told(day)
    ends_alike(walk)
    observed("host disk full", line)


OTHERS = {
    "check_access": f"{FTP}/3.13.6",
    "reserve_folder": f"{FTP}/.3.13.6.staging-3.13.6",
    "stage_docs": f"{FTP}/doc/.3.13.6.staging",
    "switch_files": f"{FTP}/3.13.6",
    "switch_docs": f"{FTP}/doc/3.13.6",
}


@pytest.mark.parametrize("task", OTHERS)
def test_folder_that_another_release_manager_made_for_themselves(
    walk: Walk, observed: Observed, task: str
) -> None:
    day = walk.day
    day.restore(task)
    foreign(day, OTHERS[task])
    line = assert_told(day.publish(), task, "hugo")
    if task == "check_access":
        assert not acts(day)
    assert_nothing_told(day)
    foreign(day, OTHERS[task], there=False)
    ends_alike(walk)
    observed(f"permission: another RM's folder, {task}", line)


def foreign(day: Day, folder: str, *, there: bool = True) -> None:
    """Another release manager has made the folder and only they may write there, or it is gone."""
    day.stop_world()
    place = day.world / "hosts" / "downloads" / folder.lstrip("/")
    told = {"path": folder, "owner": "hugo", "group": "hugo"} if there else {"gone": folder}
    if there:
        place.mkdir(mode=0o755)
    else:
        place.rmdir()
    with (day.store.folder / "downloads.owners").open("a") as log:
        log.write(json.dumps(told) + "\n")
    day.start_world()


@pytest.mark.parametrize("task", ["check_access", "switch_files"])
def test_host_key_changed(walk: Walk, observed: Observed, task: str) -> None:
    day = walk.day
    day.restore(task)
    before = len(list(day.store.happened("ssh.downloads")))
    day.order("ssh.host_key_changed", times=ALWAYS)
    ended = day.publish()
    line = assert_told(ended, task, "key")
    assert "SHA256:" in ended.said
    assert len(list(day.store.happened("ssh.downloads"))) == before
    assert_nothing_told(day)
    ends_alike(walk)
    observed(f"host key changed, {task}", line)


def test_clock_skew(walk: Walk, observed: Observed) -> None:
    day = walk.day
    day.restore("check_access")
    day.order("ssh.clock_skew", times=ALWAYS)
    ended = day.publish()
    assert ended.status == WAITING, ended
    (line, *_) = [line for line in ended.out.splitlines() if "hosts.clock" in line]
    assert "s ahead of ours" in line
    ended = day.go_on()
    assert ended.status == DONE, ended
    assert_alike(walk)
    observed("clock skew of an hour", f"told, and goes on: {line.strip()}")


def test_file_replaced_while_it_is_staged(walk: Walk, observed: Observed) -> None:
    """Before the switch the file is hidden; whoever put other bytes there is not shown."""
    day = walk.day
    day.restore("switch_files")
    file = day.downloads / ".3.13.6.staging-3.13.6" / ARCHIVE
    right = file.read_bytes()
    file.write_bytes(right[:-1] + b"!")
    line = assert_told(day.publish(), "switch_files", ARCHIVE)
    assert_nothing_shown(day)
    assert_nothing_told(day)
    file.write_bytes(right)
    ends_alike(walk)
    observed("file replaced on the host, hidden", line)


@pytest.mark.parametrize("task", ["purge_files", "test_downloads", "list_files", "check_site"])
def test_file_replaced_after_users_saw_it(walk: Walk, observed: Observed, task: str) -> None:
    day = walk.day
    day.restore(task)
    file = day.downloads / "3.13.6" / ARCHIVE
    right = file.read_bytes()
    file.write_bytes(right[:-1] + b"!")
    ended = day.publish()
    assert ended.status == FAILED, ended
    assert "Traceback" not in ended.said
    if task != "check_site":
        assert_nothing_told(day)
    assert not [each for each in day.store.load("mail", []) if "available" in each["subject"]]
    file.write_bytes(right)
    ends_alike(walk)
    first = ended.failed[0]
    observed(f"file replaced on the host, {task}", ended.line_of(first))


# ── Sigstore ────────────────────────────────────────────────────────────────────────────────


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


# ── site and caches ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("task", "fault"),
    [
        ("make_page", "site.500_after_write"),
        ("list_files", "site.500_after_write"),
        ("publish_page", "site.500_after_write"),
        ("publish_page", "site.cdn_unreachable"),
        ("post_forum", "forum.500_after_write"),
        ("date_pep", "github.500_after_write"),
        ("start_build", "github.500_after_write"),
        ("push_upstream", "github.500_after_write"),
    ],
)
def test_error_after_it_was_stored(walk: Walk, observed: Observed, task: str, fault: str) -> None:
    day = walk.day
    day.restore(task)
    day.order(fault, times=2 if task in ("list_files", "date_pep") else 1)
    ended = day.publish()
    assert ended.status in (DONE, FAILED, WAITING), ended
    assert "Traceback" not in ended.said, ended
    assert any(each["event"] == fault for each in day.store.happened("faults"))
    word = "goes on by itself" if task in ended.done else ended.line_of(task)
    if task == "push_upstream":
        assert_protected(day)
    ends_alike(walk)
    observed(f"{fault}, {task}", word)


@pytest.mark.parametrize(
    ("task", "fault"),
    [
        ("list_files", "site.429"),
        ("post_forum", "forum.429"),
        ("date_pep", "github.secondary_limit"),
    ],
)
def test_throttled_with_the_time_to_wait(
    walk: Walk, observed: Observed, task: str, fault: str
) -> None:
    day = walk.day
    day.restore(task)
    day.order(fault, "1", times=2)
    ended = day.doit("run", task)
    assert ended.status == DONE, ended
    assert sum(each["event"] == fault for each in day.store.happened("faults")) == 2
    ends_alike(walk)
    observed(f"429 with Retry-After, {task}", "waits as told, then goes on by itself")


def test_throttled_for_an_hour(walk: Walk, observed: Observed) -> None:
    day = walk.day
    day.restore("list_files")
    day.order("site.429", "3600", times=ALWAYS)
    line = assert_told(
        day.publish(), "list_files", "accepts no more requests before", status=WAITING
    )
    ends_alike(walk)
    observed("429 with Retry-After of an hour", line)


def test_timeout_of_a_purge(walk: Walk, observed: Observed) -> None:
    day = walk.day
    day.restore("purge_files")
    day.order("cdn.purge_timeout")
    ended = day.doit("run", "purge_files")
    assert ended.status == DONE, ended
    assert differences(world_of(day), walk.stages["purge_files"].world) == {}
    ends_alike(walk)
    observed("timeout on a purge", "looks at what is served, and goes on by itself")


def test_one_file_that_a_cache_keeps(walk: Walk, observed: Observed) -> None:
    day = walk.day
    day.restore("purge_files")
    path = f"/ftp/python/3.13.6/{ARCHIVE}"
    cache.keep(day.store, "b", cache.WWW, path, cache.Kept(404, {}, b"Not Found"))
    day.order("cdn.keeps_stale", ARCHIVE, times=ALWAYS)
    line = assert_told(day.publish(), "purge_files", ARCHIVE)
    assert_nothing_told(day)
    ends_alike(walk)
    observed("CDN keeps one stale file", line)


@pytest.mark.parametrize("who", ["a public release", "two drafts"])
def test_name_that_the_site_has_already(walk: Walk, observed: Observed, who: str) -> None:
    day = walk.day
    day.restore("make_page")
    rows = Rows(day.store)
    public = who == "a public release"
    taken = [
        rows.save(
            "release",
            {"name": "Python 3.13.6", "slug": f"python-3136{end}",
             "release_date": "2020-01-01T12:00:00Z", "is_published": public},
        )
        for end in (("-again",) if public else ("-one", "-two"))
    ]  # fmt: skip
    known = dict(Rows(day.store).table("release"))
    line = assert_told(day.publish(), "make_page", "Python 3.13.6")
    assert dict(Rows(day.store).table("release")) == known
    assert not [each for each in day.store.load("mail", []) if "available" in each["subject"]]
    site = day.store.load("site", {})
    for key in taken:
        del site["release"][key]
    site["next"], site["boxes"] = {"release": 1, "release_file": 1}, {}
    day.store.save("site", site)
    ends_alike(walk, but=("site created release python-3136-",))
    observed(f"duplicate release name on the site, {who}", line)


# ── upstream ────────────────────────────────────────────────────────────────────────────────


def test_upstream_moved_after_the_merge_was_made(walk: Walk, observed: Observed) -> None:
    day = walk.day
    day.restore("push_upstream")
    theirs = remotes.colleague_pushes(day.upstream, "3.13")
    line = assert_told(day.publish(), "push_upstream", "3.13 moved", "nothing was pushed")
    assert git(day.upstream, "rev-parse", "3.13").strip() == theirs
    assert_protected(day)
    assert_nothing_told(day)
    ends_with_theirs(walk, theirs)
    observed("upstream moved after the merge", line)


def test_upstream_moves_in_the_very_moment_of_the_push(walk: Walk, observed: Observed) -> None:
    day = walk.day
    day.restore("push_upstream")
    day.order("upstream.moved_while_pushed")
    line = assert_told(day.publish(), "push_upstream", "x ")
    theirs = git(day.upstream, "rev-parse", "3.13").strip()
    assert_protected(day)
    assert_nothing_told(day)
    ends_with_theirs(walk, theirs)
    observed("upstream moved while pushed", line)


def ends_with_theirs(walk: Walk, theirs: str) -> None:
    """Everything gets done; upstream has the colleague's commit and the release, once."""
    day = walk.day
    day.store.save("faults", {})
    ended = day.go_on(until=lambda each: "approve_merge" in each.waiting)
    # Other lines came of the merge or not: what was reviewed holds only if they did not.
    ended = day.go_on()
    assert ended.status == DONE, ended
    found = differences(world_of(day), walk.world)
    assert set(found) == {"upstream refs/heads/3.13"} or set(found) == {
        name for name in found if name.startswith("upstream refs/heads/3.13")
    }, found
    head = git(day.upstream, "rev-parse", "3.13").strip()
    for each in (theirs, f"{TAG}^{{commit}}"):
        git(day.upstream, "merge-base", "--is-ancestor", each, head)
    pushes = [each for each in acts(day) if each.startswith("upstream push")]
    assert len(pushes) == 1
    others = {name: times for name, times in acts(day).items() if "upstream push" not in name}
    assert others == {
        name: times for name, times in walk.acts.items() if "upstream push" not in name
    }


def test_tag_is_upstream_already_on_another_commit(walk: Walk, observed: Observed) -> None:
    day = walk.day
    day.restore("push_upstream")
    theirs = remotes.take_tag(day.upstream, TAG, "main")
    line = ""
    for _ in range(2):
        line = assert_told(day.publish(), "push_upstream", TAG, "not this release's")
        assert git(day.upstream, "rev-parse", f"refs/tags/{TAG}").strip() == theirs
        assert_protected(day)
        assert_nothing_told(day)
    git(day.upstream, "update-ref", "-d", f"refs/tags/{TAG}")
    ends_alike(walk)
    observed("tag already upstream on another commit", line)


def test_tag_appears_in_the_very_moment_of_the_push(walk: Walk, observed: Observed) -> None:
    day = walk.day
    day.restore("push_upstream")
    head = git(day.upstream, "rev-parse", "3.13")
    day.order("upstream.tag_taken")
    line = assert_told(day.publish(), "push_upstream", "x ")
    assert git(day.upstream, "rev-parse", "3.13") == head
    assert_protected(day)
    assert_nothing_told(day)
    git(day.upstream, "update-ref", "-d", f"refs/tags/{TAG}")
    ends_alike(walk)
    observed("tag taken while pushed", line)


@pytest.mark.parametrize(
    ("task", "fault"), [("push_upstream", "upstream.refuses"), ("push_fork", "fork.refuses")]
)
def test_push_rejected_by_protection(walk: Walk, observed: Observed, task: str, fault: str) -> None:
    day = walk.day
    day.restore(task)
    day.order(fault)
    line = assert_told(day.publish(), task, "GH013")
    assert_protected(day)
    assert_nothing_told(day)
    ends_alike(walk)
    observed(f"push rejected by protection, {task}", line)


LIFTED = "the branch protection of 3.13 is lifted"


@pytest.mark.parametrize("moment", ["lifted", "pushed"])
def test_holder_of_the_lease_killed_while_protection_is_lifted(
    walk: Walk, observed: Observed, moment: str
) -> None:
    """Every command shouts, and the next run puts the rules back before it does anything else."""
    day, stage = walk.day, walk.stages["push_upstream"]
    day.restore("push_upstream")
    records = (
        stage.records_until("github", "DELETE")
        if moment == "lifted"
        else stage.records_until("upstream", "push")
    )
    assert day.doit("run", "publish", records=records).status == -9
    assert not day.store.load("protection", {})["3.13"]["enforce_admins"]
    for words in (("list",), ("list", "--status"), ("next",), ("why", "push_upstream")):
        assert f"!!! {LIFTED}" in day.doit(*words).err, words
    # Even a run that has nothing to do with it.
    ended = day.doit("run", "check_tools")
    assert f"put right first, left by an earlier run: {LIFTED}" in ended.err
    assert "!!!" not in ended.err
    assert_protected(day)
    ends_alike(walk)
    (line,) = [line for line in ended.err.splitlines() if line.startswith("put right")]
    observed(f"lease holder killed, {moment}", f"all commands shout; next run: {line}")


def test_protection_that_cannot_be_restored_is_shouted_until_it_is(
    walk: Walk, observed: Observed
) -> None:
    day, stage = walk.day, walk.stages["push_upstream"]
    day.restore("push_upstream")
    day.doit("run", "publish", records=stage.records_until("github", "DELETE"))
    day.order("github.500", times=ALWAYS)
    ended = day.publish()
    assert ended.status == FAILED
    assert "IT IS STILL LIFTED" in ended.err
    assert f"!!! {LIFTED}" in ended.err
    assert ended.done == []
    ends_alike(walk)
    (line,) = [line for line in ended.err.splitlines() if "STILL" in line]
    observed("protection that cannot be restored", line)


# ── people ──────────────────────────────────────────────────────────────────────────────────


def manner(day: Day, role: str, how: str) -> None:
    """From now on the expert of this role does things in this way."""
    known = day.store.load("experts", {})
    known["manner"] = {**known["manner"], role: {"how": how}} if how else {}
    day.store.save("experts", known)


def put_on_roster(day: Day, name: str) -> None:
    """The release manager has the key, and release.toml says that it is the Windows expert's."""
    keys = day.store.load("experts", {})["keys"]
    theirs = GnupgHome(day.toy.home / "experts")
    GnupgHome(day.toy.home).gpg("--import", stdin=theirs.public(keys[name]).encode())
    day.declare(f'keys = ["{keys["windows"]}"]', f'keys = ["{keys["windows"]}", "{keys[name]}"]')


@pytest.mark.parametrize(
    ("how", "word"),
    [
        ("other bytes", "approved other bytes"),
        ("unknown key", "key"),
        ("expired key", "expired"),
    ],
)
def test_approval_that_is_worth_nothing(
    walk: Walk, observed: Observed, how: str, word: str
) -> None:
    day = walk.day
    # Saved with the good approval given: it is taken away, and a bad one comes instead.
    day.restore("approve_windows")
    for name in ("approve_windows.json", "approve_windows.json.asc"):
        (day.work / "approvals" / name).unlink()
    manner(day, "windows", how)
    if how == "expired key":
        put_on_roster(day, "expired")
    ended = day.publish()
    assert ended.status == WAITING, ended
    day.let_people_act()
    ended = day.publish()
    assert "approve_windows" in ended.waiting, ended
    line = ended.line_of("approve_windows")
    assert word in line, line
    assert_nothing_shown(day)
    manner(day, "windows", "")
    ends_alike(walk)
    observed(f"approval: {how}", line)


@pytest.mark.parametrize("how", ["other bytes", "unknown key", "expired key", "half"])
def test_expert_who_answers_wrongly(walk: Walk, observed: Observed, how: str) -> None:
    day = walk.day
    day.restore("tell_experts")
    day.order(f"experts.{how.replace(' ', '_')}", "windows")
    if how == "expired key":
        put_on_roster(day, "expired")
    ended = day.publish()
    day.wait_for_experts()
    ended = day.publish()
    status = WAITING if how == "half" else FAILED
    word = {"other bytes": "other bytes", "unknown key": "not known", "half": "8 of 9 files"}
    words = ("Wanda Windows", word.get(how, "expired"))
    line = assert_told(ended, "await_windows", *words, status=status)
    assert (day.work / "receipts" / "await_macos.json").exists()
    assert_nothing_shown(day)
    inbox = day.downloads / ".3.13.6.incoming" / "windows"
    brought = [f"3.13.6/{path.name}" for path in sorted((inbox / "3.13.6").iterdir())]
    day.store.save("faults", {})
    deliver_again(day, inbox, brought)
    ends_alike(walk)
    observed(f"expert answers wrongly: {how}", line)


def deliver_again(day: Day, inbox: Path, brought: list[str]) -> None:
    """The expert brings everything once more, rightly."""
    commit = git(day.work / "clone", "rev-parse", f"{TAG}^{{commit}}")
    order = [each for each in AWAITED if each in brought]
    experts.deliver(day.store, inbox, "windows", "3.13.6", commit, order)


AWAITED = tuple(
    f"3.13.6/{name}"
    for name in (
        "python-3.13.6-amd64.exe", "python-3.13.6-embed-amd64.zip", "python-3.13.6.exe",
        "python-3.13.6-embed-win32.zip", "python-3.13.6-arm64.exe",
        "python-3.13.6-embed-arm64.zip", "windows-3.13.6.json",
    )
)  # fmt: skip


def test_expert_who_never_answers(walk: Walk, observed: Observed) -> None:
    """The rest goes on; after the declared days it is a failure, and who comes then is in time."""
    day = walk.day
    day.restore("tell_experts")
    manner(day, "windows", "never")
    day.publish()
    day.wait_for_experts()
    ended = day.go_on(until=lambda each: "take_macos" in each.done)
    line = assert_told(ended, "await_windows", "Wanda Windows", "0 of 7", status=WAITING)
    assert_nothing_shown(day)
    later = day.publish(later=timedelta(days=9))
    late = assert_told(later, "await_windows", "has not supplied everything by")
    manner(day, "windows", "")
    ends_alike(walk)
    observed("expert who never answers", line)
    observed("expert who never answers, 9 days later", late)


# ── mail ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("task", ["mail_list", "mail_dev", "tell_experts"])
@pytest.mark.parametrize(
    ("fault", "word"), [("mail.drop_after_accept", "adopt"), ("mail.drop_before", "retry")]
)
def test_mail_whose_answer_never_came(
    walk: Walk, observed: Observed, task: str, fault: str, word: str
) -> None:
    """Nobody can look, so a person is asked, and says which of the two it was."""
    day = walk.day
    day.restore(task)
    day.order(fault)
    line = assert_told(day.publish(), task, "may have been sent or not")
    day.wait_for_experts()
    asked = day.publish()
    question = assert_told(asked, task, f"doit adopt {task}", f"doit retry {task}", status=WAITING)
    assert day.answer_mail(task, asked) == word
    ends_alike(walk)
    told = "accepts and drops" if word == "adopt" else "drops before it accepts"
    observed(f"mail server {told}, {task}", f"{line} | then {question[:40]}… asks: doit {word}")


def test_mail_that_is_refused(walk: Walk, observed: Observed) -> None:
    """A letter that was refused outright was not sent: the next run sends it, nobody is asked."""
    day = walk.day
    day.restore("mail_list")
    day.order("mail.refuses")
    line = assert_told(day.publish(), "mail_list", "550")
    ends_alike(walk)
    observed("mail server refuses the letter", line)
