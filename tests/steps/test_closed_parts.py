"""Folders of the pipeline of Windows that are closed to our group, and that every user reads."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import subprocess
import threading
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from starlette.responses import Response

from checks import brought, site
from checks.hosts import files_of_others_are_readable
from doit_receipts.errors import ServiceFailed, StepFailed, Waiting
from doit_receipts.finding import Severity
from doit_receipts.probe import RemoteState
from plugins.model.content import Content, NamedFile
from plugins.model.promise import contract_of, parts_folders
from plugins.model.published_file import Origin
from plugins.model.remote_layout import RemoteLayout
from plugins.ports.fetched import Fetched
from plugins.ports.host import Kind
from plugins.rehearsal import cdn, places
from plugins.services.anonymous_client import AnonymousClient
from plugins.services.served_host import ServedHost
from plugins.services.ssh_answers import NAMES_FORMAT, named
from plugins.steps import experts, staging
from plugins.steps.served import published_bytes
from tests.host_world import GROUP, ROOT
from tests.progress import Quiet
from tests.served import served
from tests.upload_world import Scene, a_scene

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from starlette.types import ASGIApp, Message, Receive, Send
    from starlette.types import Scope as AskedFor

    from doit_receipts.finding import Finding
    from plugins.ports.host import Host
    from plugins.ports.public import PublicClient
    from plugins.services.ssh_host import SshHost
    from tests.conftest import Builds

PART = "amd64rc1/core.msi"
CLOSED = 0o2745
"""As the pipeline leaves each of them: its last line is ``chmod "g-x,o+r" $d*``."""


class UsersSite:
    """The site that users fetch from: it writes down what it answered, and may stumble."""

    def __init__(self) -> None:
        self.address = ""
        self.app: ASGIApp = Response(status_code=404)
        self.statuses: list[int] = []
        self.stumbles: dict[str, int] = {}
        """The status in place of an answer, by how the path ends."""

    async def __call__(self, asked: AskedFor, receive: Receive, send: Send) -> None:
        async def written(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.statuses.append(message["status"])
            await send(message)

        for end, status in self.stumbles.items():
            if asked["path"].endswith(end):
                await Response(status_code=status)(asked, receive, written)
                return
        await self.app(asked, receive, written)

    def answered(self) -> list[int]:
        """Each status since it was last asked this."""
        found, self.statuses = sorted(self.statuses), []
        return found


@pytest.fixture
def users() -> UsersSite:
    return UsersSite()


@pytest.fixture
def scene(tmp_path: Path, a_release: Builds, users: UsersSite) -> Iterator[Scene]:
    """What users get is what a web server that is nobody in particular gives them."""
    with a_scene(tmp_path, a_release("3.15.0rc1")) as made:
        places.put(made.world.store, downloads=made.world.files)
        users.app = cdn.app(made.world.store)
        with served(cast("Any", users)) as users.address:
            made.host = seen_from(users.address, made, tmp_path)
            yield made


def seen_from(address: str, scene: Scene, folder: Path) -> SshHost:
    """The host as another process sees it; what was fetched is remembered in the folder."""
    memory = folder / "served.json"
    return seen_by(lambda: AnonymousClient(address, address, (address,), memory), scene)


def seen_by(open_visitor: Callable[[], PublicClient], scene: Scene) -> SshHost:
    host = cast("Host", scene.world.host())
    made = ServedHost(host, open_visitor, parts_folders(scene.release), scene.contract)
    return cast("SshHost", made)


def close(scene: Scene, folder: str, mode: int = CLOSED) -> None:
    path = f"{ROOT}/{scene.release.version.folder}/{folder}".rstrip("/")
    scene.world.server.disk.prepare(path, "steve", GROUP, mode)


def uploaded(scene: Scene) -> dict[str, bytes]:
    """The pipeline's upload, to its last line."""
    files = scene.upload()
    for folder in parts_folders(scene.release):
        close(scene, folder.rpartition("/")[2])
    return files


def upload_many(scene: Scene) -> None:
    """The same, and more parts than one at a time are fetched of."""
    for name in ("dev", "doc", "exe", "lib", "tools"):
        scene.put(f"amd64rc1/{name}.msi", b"part")
    uploaded(scene)


def known(files: dict[str, bytes]) -> dict[str, str]:
    return {f"3.15.0/{name}": hashlib.sha256(each).hexdigest() for name, each in files.items()}


def windows_of(scene: Scene) -> Any:
    return contract_of(scene.release).without(*(set(Origin) - {Origin.WINDOWS}))


def found_by(scene: Scene, roles: Sequence[str] = ("windows",)) -> tuple[Finding, ...]:
    return brought.nothing_unexpected_is_public(scene.release, scene.contract, scene.host, roles)


def judged(scene: Scene) -> list[tuple[str, Severity, str]]:
    return [
        (each.rule, each.severity, each.where.partition("/3.15.0/")[2]) for each in found_by(scene)
    ]


def test_upload_that_ends_as_the_pipeline_ends_waits_for_nobody(scene: Scene) -> None:
    files = scene.upload()
    facts = scene.arrived()
    for folder in parts_folders(scene.release):
        close(scene, folder.rpartition("/")[2])
    assert scene.arrived() == facts, "who looked, and how, changes nothing of what is approved"
    area = RemoteLayout(scene.release.version).downloads
    look = experts.look_taken(scene.release, scene.host, "windows", area)
    assert look.state is RemoteState.IDENTICAL
    everything = experts.with_brought([], scene.release, ["windows"], area)
    assert staging.look_staged(everything, area, scene.host).state is RemoteState.IDENTICAL
    modes = scene.modes()
    staging.switch(everything, area, scene.host, Quiet())
    assert scene.modes() == modes
    assert staging.look_switched(everything, area, scene.host).state is RemoteState.IDENTICAL
    windows = windows_of(scene)
    assert brought.promised_is_public(windows, known(files), scene.host) == ()
    assert brought.what_files_tell_is_true(scene.release, scene.host, ["windows"]) == ()
    assert files_of_others_are_readable(scene.host, [area.final]) == ()
    listed = experts.with_extras(windows, everything, area)
    found = published_bytes(listed, scene.host, known(files))
    assert found[f"3.15.0/{PART}"] == Content.of(files[PART])
    nobody = SimpleNamespace(releases=lambda: ())
    assert len(site.rows_are_as_served(listed, scene.host, cast("Any", nobody))) == 1


def test_what_was_not_looked_at_is_said_and_the_owner_may_still_open_it(scene: Scene) -> None:
    uploaded(scene)
    scene.arrived()
    folders = ["amd64rc1", "arm64rc1", "win32rc1"]
    assert judged(scene) == [("brought.unseen", Severity.NOTE, each) for each in folders]
    (finding, *_) = found_by(scene)
    assert "belongs to steve and has mode 2745" in finding.message
    assert "their modes, and whether they have further names, cannot be seen" in finding.message
    assert "nobody of group downloads reaches a file through it" in finding.message
    assert "other accounts of the host can write to one whose mode lets them" in finding.message
    (place,) = re.findall("ask steve for `chmod g\\+rwx (.*)`", finding.remedy)
    scene.world.server.disk.change_mode("steve", place, 0o2775)
    assert judged(scene) == [("brought.unseen", Severity.NOTE, each) for each in folders[1:]]


@pytest.mark.parametrize(
    "why",
    [
        "users cannot look into it",
        "every account can write there",
        "the group can enter it",
        "nobody of the group reads its names",
        "users do not get a file",
        "a folder is in it",
        "a file is too large",
    ],
)
def test_owner_is_waited_for_where_users_cannot_be_asked(scene: Scene, why: str) -> None:
    uploaded(scene)
    modes = {
        "users cannot look into it": 0o2740,
        "every account can write there": 0o2747,
        "the group can enter it": 0o2715,
        "nobody of the group reads its names": 0o2705,
    }
    match why:
        case "users do not get a file":
            (scene.folder / PART).chmod(0o640)
        case "a folder is in it":
            (scene.folder / "amd64rc1" / "more").mkdir()
        case "a file is too large":
            with (scene.folder / PART).open("r+b") as part:
                part.truncate((32 << 20) + 1)
        case _:
            close(scene, "amd64rc1", modes[why])
    with pytest.raises(Waiting, match=r"waiting for steve: .*/amd64rc1 belongs to") as error:
        scene.arrived()
    gets = {
        "users do not get a file": "users get status 403 from https://www.python.org/ftp/python/",
        "a file is too large": "users get more than 33,554,432 bytes from https://www.python.org/",
    }.get(why, "so we cannot look into it")
    assert gets in error.value.problem
    if why in ("users do not get a file", "a file is too large"):
        assert error.value.problem.endswith(f"/3.15.0/{PART}")
        (finding,) = (each for each in found_by(scene, []) if each.rule == "brought.unseen"
                      and each.severity is Severity.BLOCK)  # fmt: skip
        assert gets in finding.message
    (place,) = re.findall("ask steve for `chmod g\\+rwx (.*)`", error.value.remedy)
    disk = scene.world.server.disk
    disk.change_mode("steve", place, stat.S_IMODE(disk.real(place).stat().st_mode) | 0o070)
    if why == "users do not get a file":
        with pytest.raises(Waiting, match="ask steve for `chmod 644"):
            scene.arrived()
    else:
        assert f"3.15.0/{PART}" in scene.arrived()


@pytest.mark.parametrize("status", [503, 429])
@pytest.mark.parametrize("where", [PART, ""])
def test_site_that_stumbles_is_named_and_is_asked_again_the_next_time(
    scene: Scene, users: UsersSite, where: str, status: int
) -> None:
    """Nobody opens a folder for that, and one trouble does not give the site up for hours."""
    upload_many(scene)
    users.stumbles = {where: status}
    name = users.address.removeprefix("http://")
    with pytest.raises(ServiceFailed, match=f"answered {status}") as error:
        scene.arrived()
    assert error.value.service == name
    assert "GET https://www.python.org/ftp/python/3.15.0/" in str(error.value)
    assert "run the same command again" in error.value.remedy
    users.stumbles = {}
    assert f"3.15.0/{PART}" in scene.arrived()


def test_checks_name_a_site_that_does_not_answer(scene: Scene, tmp_path: Path) -> None:
    """One line of the rule that they cannot look by, and nobody is asked to open a folder."""
    files = uploaded(scene)
    scene.arrived()
    scene.host = seen_from("http://127.0.0.1:9", scene, tmp_path / "else")
    area = RemoteLayout(scene.release.version).downloads
    found = [
        *found_by(scene),
        *brought.promised_is_public(windows_of(scene), known(files), scene.host),
        *files_of_others_are_readable(scene.host, [area.final]),
    ]
    rules = ["brought.unseen", "public.unseen", "hosts.other_owner"]
    assert [(each.rule, each.severity, each.where) for each in found] == [
        (rule, Severity.BLOCK, "127.0.0.1:9") for rule in rules
    ]
    assert not [each for each in found if "chmod" in f"{each.message}{each.remedy}"]
    everything = experts.with_brought([], scene.release, ["windows"], area)
    with pytest.raises(ServiceFailed, match=r"127\.0\.0\.1:9: GET .* cannot be reached"):
        staging.look_switched(everything, area, scene.host)


def test_what_did_not_change_is_not_sent_to_the_next_run(
    scene: Scene, users: UsersSite, tmp_path: Path
) -> None:
    files = uploaded(scene)
    scene.arrived()
    parts = len([name for name in files if "rc1/" in name])
    users.answered()
    later = seen_from(users.address, scene, tmp_path)
    listed = later.listing("3.15.0")
    assert users.answered() == [304] * parts
    assert later.digests(listed)[f"3.15.0/{PART}"] == known(files)[f"3.15.0/{PART}"]
    assert brought.promised_is_public(windows_of(scene), known(files), later) == ()
    assert users.answered().count(200) == parts, "what is shown to users was fetched whole"


def test_part_whose_owner_gives_it_its_old_time_is_found_before_the_page(scene: Scene) -> None:
    """The server's mark is made of time and length, so it says that nothing changed."""
    files = uploaded(scene)
    scene.arrived()
    before = (scene.folder / PART).stat()
    scene.put(PART, files[PART][::-1])
    close(scene, "amd64rc1")
    os.utime(scene.folder / PART, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert scene.arrived()[f"3.15.0/{PART}"] == Content.of(files[PART]).fact, "it looks the same"
    (finding,) = brought.promised_is_public(windows_of(scene), known(files), scene.host)
    assert (finding.rule, finding.where) == ("public.differs", f"3.15.0/{PART}")


def test_nothing_is_fetched_for_an_expert_who_brings_no_parts(
    scene: Scene, users: UsersSite
) -> None:
    uploaded(scene)
    with pytest.raises(Waiting, match="waiting for The macos expert"):
        scene.arrived("macos")
    assert users.answered() == []


def test_site_that_fails_is_reported_while_other_fetches_of_it_still_hang(scene: Scene) -> None:
    upload_many(scene)
    let_go = threading.Event()

    class Hanging(Asked):
        def fetch(self, url: str, *more: Any) -> Fetched:
            if not url.endswith(PART):
                let_go.wait(20)
                return super().fetch(url, *more)
            raise ServiceFailed(service="www.example", action=f"GET {url}", problem="is away")

    host = seen_by(lambda: cast("PublicClient", Hanging()), scene)
    watchdog = threading.Timer(15, let_go.set)
    watchdog.start()
    with pytest.raises(ServiceFailed, match="is away"):
        host.listing("3.15.0/amd64rc1")
    assert not let_go.is_set()
    watchdog.cancel()
    let_go.set()


def test_folder_that_has_to_be_written_in_is_still_opened_by_its_owner(
    scene: Scene, tmp_path: Path
) -> None:
    """Nothing of the release is shown before that."""
    uploaded(scene)
    scene.arrived()
    bundle = tmp_path / "core.msi.sigstore"
    bundle.write_bytes(b"bundle")
    ours = NamedFile(f"{PART}.sigstore", Content.of(b"bundle"), bundle)
    area = RemoteLayout(scene.release.version).downloads
    everything = (*experts.with_brought([], scene.release, ["windows"], area), ours)
    with pytest.raises(ServiceFailed, match="steve, whose folder it is, has closed it to its") as e:
        staging.switch(everything, area, scene.host, Quiet())
    assert "ask steve to run `find " in e.value.remedy
    close(scene, "amd64rc1", 0o2775)
    scene.host.make_folders([f"{area.staging}/amd64rc1"], 0o2775)
    staging.stage([ours], area, scene.host, Quiet())
    staging.switch(everything, area, scene.host, Quiet())
    assert (scene.folder / f"{PART}.sigstore").read_bytes() == b"bundle"


def test_release_folder_that_is_closed_itself_is_waited_for(scene: Scene) -> None:
    uploaded(scene)
    close(scene, "")
    with pytest.raises(ServiceFailed, match=r"denied: .*/3\.15\.0 is steve:downloads with"):
        scene.arrived()
    with pytest.raises(ServiceFailed, match=r"denied: .*/3\.15\.0 is steve:downloads with"):
        scene.host.listing("3.15.0/amd64rc1")


@pytest.mark.parametrize("change", ["other bytes", "gone"])
def test_part_that_changes_in_a_closed_folder_is_found_before_the_page(
    scene: Scene, change: str
) -> None:
    files = uploaded(scene)
    scene.arrived()
    area = RemoteLayout(scene.release.version).downloads
    everything = experts.with_brought([], scene.release, ["windows"], area)
    assert brought.promised_is_public(windows_of(scene), known(files), scene.host) == ()
    (scene.folder / PART).unlink()
    if change == "other bytes":
        scene.put(PART, files[PART][::-1])
        close(scene, "amd64rc1")
    (finding,) = brought.promised_is_public(windows_of(scene), known(files), scene.host)
    rule = "public.differs" if change == "other bytes" else "public.missing"
    assert (finding.rule, finding.where) == (rule, f"3.15.0/{PART}")
    if change == "other bytes":
        assert staging.look_switched(everything, area, scene.host).state is RemoteState.DIFFERENT
        listed = experts.with_extras(windows_of(scene), everything, area)
        with pytest.raises(StepFailed, match="differs from the release"):
            published_bytes(listed, scene.host, known(files))
    else:
        with pytest.raises(ServiceFailed, match="has closed it to its group"):
            staging.look_switched(everything, area, scene.host)


@pytest.mark.parametrize("name", ["evil.exe", ".core.msi", "more.msi.asc.sigstore"])
def test_file_that_nobody_promised_is_found_in_a_closed_folder_whatever_users_see_of_it(
    scene: Scene, name: str
) -> None:
    """A listing of the web server leaves out what begins with a dot."""
    uploaded(scene)
    scene.arrived()
    scene.put(f"amd64rc1/{name}", b"x")
    close(scene, "amd64rc1")
    found = [each for each in judged(scene) if each[1] is Severity.BLOCK]
    assert found == [("brought.unexpected", Severity.BLOCK, f"amd64rc1/{name}")]


def test_link_in_a_closed_folder_is_no_file(scene: Scene) -> None:
    """What it leads to may be anybody's to change."""
    uploaded(scene)
    (scene.folder / PART).unlink()
    (scene.folder / PART).symlink_to("../python-3.15.0rc1.exe")
    with pytest.raises(StepFailed, match="is a link, wanted a file"):
        scene.arrived()


def test_what_a_file_in_a_closed_folder_says_of_another_is_read(scene: Scene) -> None:
    uploaded(scene)
    scene.put(f"{PART}.spdx.json", b"no JSON")
    close(scene, "amd64rc1")
    scene.arrived()
    (finding,) = brought.what_files_tell_is_true(scene.release, scene.host, ["windows"])
    assert (finding.rule, finding.where) == ("brought.untrue", f"3.15.0/{PART}.spdx.json")


class Asked:
    """A client that writes down what it was asked for."""

    def __init__(self) -> None:
        self.urls: list[str] = []

    def remember(self) -> None:
        """It needs to keep nothing."""

    def fetch(self, url: str, endpoint: str, most_bytes: int, file: Path | None = None) -> Fetched:
        self.urls.append(url)
        assert (endpoint, most_bytes, file) == ("around the caches", 32 << 20, None)
        return Fetched(200, Content.of(b"part"))


def test_nothing_is_fetched_but_what_the_release_may_have_in_its_own_closed_folders(
    scene: Scene,
) -> None:
    scene.upload()
    scene.put("amd64b4/core.msi", b"of a beta")
    close(scene, "amd64b4")
    scene.put("amd64rc1/evil.exe", b"x")
    close(scene, "amd64rc1")
    asked = Asked()
    host = seen_by(lambda: cast("PublicClient", asked), scene)
    found = {entry.path: entry for entry in host.listing("3.15.0")}
    assert asked.urls == [f"https://www.python.org/ftp/python/3.15.0/{PART}"]
    assert found[f"3.15.0/{PART}"].size_bytes == len(b"part")
    assert found["3.15.0/amd64rc1/evil.exe"].kind is Kind.FILE
    assert "3.15.0/amd64b4/core.msi" not in found
    assert host.read("3.15.0/python-3.15.0rc1.exe", 3) == b"win"


def test_find_reads_names_and_kinds_of_a_folder_that_it_may_not_enter(tmp_path: Path) -> None:
    """On a real host: of one that has a folder in it, it says that it cannot see all."""
    folder = tmp_path / "d"
    folder.mkdir()
    (folder / "a.msi").write_bytes(b"a")
    (folder / "link").symlink_to("a.msi")
    tmp_path.chmod(0o755)
    with readable_names_alone(folder) as who:

        def find() -> subprocess.CompletedProcess[bytes]:
            return subprocess.run(
                ["find", "-P", "d", "-mindepth", "1", "-maxdepth", "1", "-printf", NAMES_FORMAT],
                cwd=tmp_path, capture_output=True, check=False, **who,
            )  # fmt: skip

        found = find()
        if found.stdout and not found.returncode:  # where the file system lists kinds at all
            kinds = {"d/a.msi": Kind.FILE, "d/link": Kind.LINK}
            assert dict(named("d", found.stdout)) == kinds
        folder.chmod(0o755)
        (folder / "inner").mkdir()
        folder.chmod(0o744 if who else 0o444)
        assert find().returncode


@contextmanager
def readable_names_alone(folder: Path) -> Iterator[dict[str, Any]]:
    """Whoever runs a program with these arguments may read the folder, and not enter it."""
    as_root = os.geteuid() == 0
    folder.chmod(0o744 if as_root else 0o444)
    try:
        yield {"user": 65534, "group": 65534, "extra_groups": []} if as_root else {}
    finally:
        folder.chmod(0o755)
