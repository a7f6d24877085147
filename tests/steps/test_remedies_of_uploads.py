"""Remedies of what experts and the pipeline upload, each done as it says, and judged again."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from checks import beside, brought
from plugins.model.content import Content, NamedFile
from plugins.model.manifest import MANIFEST, Manifest
from plugins.model.promise import contract_of
from plugins.model.published_file import Origin
from plugins.model.remote_layout import RemoteLayout
from plugins.rehearsal.store import ALWAYS
from plugins.services.gnupg_signer import GnupgKeyring
from plugins.steps import experts
from tests.host_world import ROOT
from tests.upload_world import COMMIT, Scene, a_program, a_scene

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from doit_receipts.finding import Finding
    from plugins.rehearsal.gnupg_home import GnupgHome
    from tests.conftest import Builds

_TABLE: Final = "windows-3.15.0rc1.json"
_INSTALLER: Final = "python-3.15.0rc1-amd64.exe"
_SBOM: Final = f"{_INSTALLER}.spdx.json"
_AGAIN: Final = "run doit forget await_windows, then the same command again"


@pytest.fixture
def scene(tmp_path: Path, a_release: Builds) -> Iterator[Scene]:
    with a_scene(tmp_path, a_release("3.15.0rc1")) as made:
        yield made


def judged(scene: Scene, *, notes: bool = False) -> list[Finding]:
    """What `check_brought` finds, but for who signed the toys of installers."""
    about, roles = (scene.release, scene.host), ["windows"]
    found = [
        *brought.brought_is_proved(scene.release, scene.contract, roles),
        *brought.what_files_tell_is_true(*about, roles),
        *beside.experts_brought_sidecars(scene.release, scene.contract, roles),
        *brought.nothing_unexpected_is_public(scene.release, scene.contract, scene.host, roles),
    ]
    return [each for each in found if each.rule != "brought.approved_only" or notes]


def _untrue(scene: Scene, files: dict[str, bytes]) -> None:
    content = json.loads(files[_TABLE])
    content["versions"][0]["hash"] = {"sha256": "0" * 64}
    wrong = json.dumps(content).encode()
    scene.put(_TABLE, wrong)
    scene.tell({**files, _TABLE: wrong})


def _lacking(scene: Scene, files: dict[str, bytes]) -> None:
    (scene.folder / _SBOM).unlink()
    scene.tell({name: content for name, content in files.items() if name != _SBOM})


def _late(scene: Scene, files: dict[str, bytes]) -> None:
    _lacking(scene, files)
    scene.arrived()
    scene.put(_SBOM, files[_SBOM])


def _brings(scene: Scene, files: dict[str, bytes]) -> None:
    """The expert brings what was asked for, and the pipeline has been told of it."""
    for name, content in files.items():
        scene.put(name, content)
    scene.tell(files)


@pytest.mark.parametrize(
    ("rule", "wrong", "words"),
    [
        ("brought.untrue", _untrue, "ask whoever made it for a corrected one"),
        ("brought.lacks", _lacking, f"ask who made it for {_SBOM}"),
        ("brought.unexpected", _late, "if it came after the others of its kind"),
    ],
)
def test_what_an_expert_brings_anew_is_seen_once_the_task_that_awaited_it_is_forgotten(
    scene: Scene, rule: str, wrong: Callable[[Scene, dict[str, bytes]], None], words: str
) -> None:
    """Brought alone it changes nothing: what arrived is known by its digests of then."""
    files = scene.upload()
    wrong(scene, files)
    if rule != "brought.unexpected":
        scene.arrived()
    found = [each for each in judged(scene) if each.rule == rule]
    assert words in found[0].remedy
    assert _AGAIN in found[0].remedy
    _brings(scene, files)
    assert [each for each in judged(scene) if each.rule.startswith("brought.")]
    scene.arrived()  # await_windows and list_windows, which were forgotten
    assert judged(scene) == []


def test_file_of_nobody_is_removed_by_its_owner(scene: Scene) -> None:
    scene.upload()
    scene.put("python-3.15.0rc1-wasm32.tar.xz", b"of nobody")
    scene.arrived()
    (finding,) = judged(scene)
    assert finding.rule == "brought.unexpected"
    assert finding.remedy.startswith("ask steve to remove it, or what it is for")
    (scene.folder / finding.where.rpartition("/")[2]).unlink()
    assert judged(scene) == []


def test_manifest_that_the_expert_signs_afterwards_proves_what_is_public(
    scene: Scene, keyring: GnupgHome
) -> None:
    files = scene.upload()
    scene.release.layout.reported_by_pipeline.unlink()
    scene.arrived()
    (finding,) = judged(scene)
    assert finding.rule == "brought.unproved"
    assert "put a signed manifest of them into their inbox" in finding.remedy
    assert _AGAIN in finding.remedy
    assert "waive brought.unproved" in finding.remedy
    key = keyring.key("windows expert")
    experts.open_inboxes(scene.release, scene.host, ["windows"])
    folder = scene.release.version.folder
    listed = [NamedFile(f"{folder}/{name}", Content.of(each)) for name, each in files.items()]
    manifest = Manifest.of(str(scene.release.version), "windows", COMMIT, listed).to_bytes()
    inbox = RemoteLayout(scene.release.version).inbox("windows")
    place = scene.world.files / inbox / MANIFEST
    place.write_bytes(manifest)
    keyring.gpg(
        "--local-user", key, "--armor", "--output", f"{place}.asc", "--detach-sign", str(place)
    )
    for name in (MANIFEST, f"{MANIFEST}.asc"):
        place.with_name(name).chmod(0o664)
        scene.world.server.disk.own(f"{ROOT}/{inbox}/{name}", "steve", "downloads")
    scene.arrived(verifier=GnupgKeyring(keyring.folder), roster=[key])
    assert judged(scene, notes=True) == []


def test_files_that_only_the_expert_vouches_for_may_get_a_manifest(scene: Scene) -> None:
    """Done as above; that nothing else has to be done is said."""
    scene.upload()
    scene.arrived()
    (note,) = judged(scene, notes=True)
    assert note.rule == "brought.approved_only"
    assert note.remedy == (
        "ask the expert for a signed manifest in their inbox, if their approval alone is not "
        "enough for you; the release goes on without one"
    )


def test_toy_of_an_installer_is_replaced_by_one_that_is_whole(
    scene: Scene,
) -> None:
    scene.upload()
    scene.arrived()
    scene.release = replace(scene.release, rehearsal=False)

    def kinds() -> tuple[Finding, ...]:
        return brought.brought_is_of_its_kind(scene.release, scene.host, ["windows"])

    assert {each.rule for each in kinds()} == {"brought.kind"}
    assert all(each.remedy.startswith("ask who made it for a whole one") for each in kinds())
    assert all(_AGAIN in each.remedy for each in kinds())
    wrong = [each.where.rpartition("/")[2] for each in kinds()]
    files = {name: (scene.folder / name).read_bytes() for name in wrong}
    for name in wrong:
        scene.put(
            name, a_program(files[name]) if name.endswith(".exe") else b"PK\x03\x04" + files[name]
        )
    scene.release.layout.reported_by_pipeline.unlink()
    scene.arrived()
    assert kinds() == ()


# ── the public folder, right before the page ───────────────────────────────────────────────


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("rule", ["public.missing", "public.differs", "public.closed"])
def test_page_is_shown_once_the_judged_file_is_back(scene: Scene, rule: str) -> None:
    files = scene.upload()
    windows = contract_of(scene.release).without(*(set(Origin) - {Origin.WINDOWS}))
    known = {f"3.15.0/{name}": _sha256(content) for name, content in files.items()}
    file, mode = scene.folder / _INSTALLER, 0o644
    match rule:
        case "public.missing":
            file.unlink()
        case "public.differs":
            scene.put(_INSTALLER, files[_INSTALLER][::-1])
        case _:
            scene.put(_INSTALLER, files[_INSTALLER], mode=0o640)
    (finding,) = brought.promised_is_public(windows, known, scene.host)
    assert finding.rule == rule
    if rule == "public.closed":
        found = re.search(r"chmod (\d+)$", finding.remedy)
        assert found, finding.remedy
        mode = int(found[1], 8)
    else:
        assert "publish no page; find out who" in finding.remedy
        assert finding.remedy.endswith("put back")
    scene.put(_INSTALLER, files[_INSTALLER], mode=mode)
    assert brought.promised_is_public(windows, known, scene.host) == ()


@pytest.mark.parametrize("name", ["build", "a b;c"])
@pytest.mark.parametrize("group", ["steve", "downloads"])
def test_folder_that_is_closed_is_looked_into_once_its_owner_did_as_told(
    scene: Scene, name: str, group: str
) -> None:
    scene.upload()
    scene.arrived()
    path = f"{ROOT}/3.15.0/{name}"
    disk = scene.world.server.disk
    disk.prepare(path, "steve", group, 0o2700 if group == "downloads" else 0o2770)
    (finding,) = judged(scene)
    assert finding.rule == "brought.unseen"
    (told,) = re.findall("ask steve for `(.*)`", finding.remedy)
    for word, what, place in (shlex.split(each) for each in told.split(" && ")):
        if word == "chgrp":
            disk.change_group("steve", place, "steve", what)
        else:
            assert (word, what) == ("chmod", "g+rwx")
            disk.change_mode("steve", place, disk.real(place).stat().st_mode & 0o7777 | 0o070)
    assert judged(scene) == []


def test_file_that_nobody_judged_is_judged_once_it_is_awaited_again(scene: Scene) -> None:
    files = scene.upload()
    windows = contract_of(scene.release).without(*(set(Origin) - {Origin.WINDOWS}))
    known = {f"3.15.0/{name}": _sha256(each) for name, each in files.items() if name != _INSTALLER}
    (finding,) = brought.promised_is_public(windows, known, scene.host)
    assert finding.rule == "public.unjudged"
    assert _AGAIN in finding.remedy
    scene.arrived()
    listed = brought.adopted(scene.release, "windows")
    known |= {path: file.content.sha256 for path, file in listed.items()}
    assert brought.promised_is_public(windows, known, scene.host) == ()


def test_host_that_answers_again_is_looked_at_again(scene: Scene) -> None:
    files = scene.upload()
    scene.arrived()
    windows = contract_of(scene.release).without(*(set(Origin) - {Origin.WINDOWS}))
    known = {f"3.15.0/{name}": _sha256(content) for name, content in files.items()}
    scene.world.store.order_fault("ssh.host_key_changed", times=ALWAYS)
    scene.host = scene.world.host()
    found = [*judged(scene), *brought.promised_is_public(windows, known, scene.host)]
    assert {each.rule for each in found} == {"brought.unseen", "public.unseen"}
    assert all(each.remedy for each in found)
    scene.world.store.order_fault("ssh.host_key_changed", times=0)
    scene.host = scene.world.host()
    assert judged(scene) == []
    assert brought.promised_is_public(windows, known, scene.host) == ()


def test_files_that_were_never_awaited_are_looked_at_once_they_are(scene: Scene) -> None:
    scene.upload()
    found = judged(scene)
    assert {each.rule for each in found} == {"brought.unseen"}
    assert {each.remedy for each in found} == {"run doit await_windows"}
    scene.arrived()
    assert judged(scene) == []
