"""Files that experts and the pipeline put where users see them: several people on one host."""

from __future__ import annotations

import hashlib
import json
import re
import struct
import zlib
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from checks import brought
from checks.hosts import files_of_others_are_readable
from checks.recognising import recognised
from checks.staged_files import staged_is_ready
from doit_receipts.errors import ServiceFailed, StepFailed, Waiting
from doit_receipts.finding import Severity
from doit_receipts.probe import RemoteState
from plugins.model.content import Content, NamedFile
from plugins.model.evidence import evidence_path
from plugins.model.found_files import FoundFiles
from plugins.model.package_head import is_of_its_kind, needed_bytes
from plugins.model.promise import contract_of, record_paths
from plugins.model.published_file import Origin
from plugins.model.remote_layout import RemoteLayout
from plugins.model.report import Situation
from plugins.ports.fetched import Fetched
from plugins.ports.public import AROUND
from plugins.steps import experts, staging, staging_folders
from plugins.steps.served import published_bytes
from tests.host_world import ROOT
from tests.progress import Quiet
from tests.upload_world import Scene, a_program, a_scene

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from plugins.model.contract import Contract
    from tests.conftest import Builds


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def scene(tmp_path: Path, a_release: Builds) -> Iterator[Scene]:
    with a_scene(tmp_path, a_release("3.15.0rc1")) as made:
        yield made


def test_public_folder_is_made_early_for_whoever_uploads_there(scene: Scene) -> None:
    """The pipeline would make it for itself alone (release-tools#391)."""
    area = RemoteLayout(scene.release.version).downloads
    assert (
        staging_folders.look_reserved(area, scene.host, shared=True).state is RemoteState.IDENTICAL
    )
    (entry,) = scene.host.look([area.final])
    assert entry is not None
    assert (entry.mode, entry.owner, entry.group) == (0o2775, "rm", "downloads")


def test_files_of_the_pipeline_are_adopted_as_they_stand(scene: Scene) -> None:
    files = scene.upload()
    before = scene.modes()
    facts = scene.arrived()
    assert facts == scene.arrived()
    folder = scene.release.version.folder
    assert set(facts) - {"evidence"} == {f"{folder}/{name}" for name in files}
    assert facts["evidence"].startswith("16 of ")
    area = RemoteLayout(scene.release.version).downloads
    look = experts.look_taken(scene.release, scene.host, "windows", area)
    assert look.state is RemoteState.IDENTICAL
    experts.take(scene.release, scene.host, "windows", area)
    assert scene.modes() == before
    assert not scene.world.events() or not any("steve" in line for line in scene.world.events())


def test_nothing_there_is_waited_for_with_both_places_named(scene: Scene) -> None:
    with pytest.raises(Waiting, match="0 of 7 files have arrived") as caught:
        scene.arrived()
    assert caught.value.who == "The windows expert (windows)"
    assert "/srv/ftp/3.15.0 as always" in str(caught.value)
    assert ".3.15.0rc1.incoming/windows" in str(caught.value)
    with pytest.raises(StepFailed, match="has not supplied everything by"):
        scene.arrived(days_late=1)


def test_file_that_is_still_being_uploaded_is_waited_for(scene: Scene) -> None:
    files = scene.upload()
    name = "python-3.15.0rc1-amd64.exe"
    scene.put(name, files[name][:100])
    with pytest.raises(Waiting, match=f"cut short 3.15.0/{name}") as caught:
        scene.arrived()
    assert f"100 of {len(files[name]):,} bytes" in str(caught.value)


def test_other_bytes_than_the_pipeline_told_stop_with_both_sides(scene: Scene) -> None:
    files = scene.upload()
    name = "python-3.15.0rc1-amd64.exe"
    scene.put(name, b"x" * len(files[name]))
    with pytest.raises(StepFailed, match="does not match the digest of the pipeline") as e:
        scene.arrived()
    assert e.value.details[0] == f"pipeline {_sha256(files[name])}"
    assert name in e.value.where


def test_link_under_an_awaited_name_is_no_file(scene: Scene) -> None:
    scene.upload()
    place = scene.folder / "python-3.15.0rc1-amd64.exe"
    place.unlink()
    place.symlink_to("/etc/passwd")
    with pytest.raises(StepFailed, match="is a link, wanted a file"):
        scene.arrived()


def test_macos_installer_is_adopted_by_what_the_approval_is_of(scene: Scene) -> None:
    package = a_package(b"x" * 500)
    scene.put("python-3.15.0rc1-macos11.pkg", package[:-10], owner="ned")
    with pytest.raises(Waiting, match="cut short"):
        scene.arrived("macos")
    scene.put("python-3.15.0rc1-macos11.pkg", package + b"stapled", owner="ned")
    facts = scene.arrived("macos")
    assert facts["evidence"].startswith("0 of 1")
    text = scene.release.layout.adopted("macos").read_text()
    assert _sha256(package + b"stapled") in text
    (note,) = brought.brought_is_proved(scene.release, scene.contract, ["macos"])
    assert (note.rule, note.severity) == ("brought.approved_only", Severity.NOTE)


# ── modes and owners ───────────────────────────────────────────────────────────────────────


def contract_with(scene: Scene, files: Iterable[str]) -> Contract:
    """What is promised and brought, as if everything had been adopted."""
    return scene.contract.with_extras(f"{scene.release.version.folder}/{name}" for name in files)


def all_wanted(files: dict[str, bytes]) -> tuple[NamedFile, ...]:
    return tuple(NamedFile(name, Content.of(content)) for name, content in files.items())


def test_switch_leaves_files_of_others_alone_and_shows_ours(scene: Scene, tmp_path: Path) -> None:
    files = scene.upload()
    scene.arrived()
    source = tmp_path / "Python-3.15.0rc1.tgz"
    source.write_bytes(b"source" * 100)
    ours = NamedFile(source.name, Content.of(b"source" * 100), source)
    area = RemoteLayout(scene.release.version).downloads
    staging.stage([ours], area, scene.host, Quiet())
    everything = experts.with_brought([ours], scene.release, ["windows"], area)
    before = scene.modes()
    assert staging.look_switched(everything, area, scene.host).state is RemoteState.ABSENT
    staging.switch(everything, area, scene.host, Quiet())
    assert staging.look_switched(everything, area, scene.host).state is RemoteState.IDENTICAL
    after = scene.modes()
    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) == {source.name}
    assert len(everything) == len(files) + 1


@pytest.mark.parametrize("mode", [0o600, 0o666])
def test_wrong_mode_of_somebody_elses_file_names_its_owner(scene: Scene, mode: int) -> None:
    """Users could not read the one; every account of the host could change the other."""
    files = scene.upload()
    scene.arrived()
    name = "python-3.15.0rc1-arm64.exe"
    scene.put(name, files[name], mode=mode)
    area = RemoteLayout(scene.release.version).downloads
    everything = experts.with_brought([], scene.release, ["windows"], area)
    with pytest.raises(Waiting, match=r"waiting for steve: .* belongs to steve"):
        scene.arrived()
    taken = experts.look_taken(scene.release, scene.host, "windows", area)
    for probe in (
        staging.look_switched(everything, area, scene.host),
        staging.look_staged(everything, area, scene.host),
        taken,
    ):
        assert probe.state is RemoteState.DIFFERENT
        assert name in probe.problem
        assert "only their owners can change the modes" in probe.problem
        (detail,) = probe.details
        assert f"belongs to steve and has mode {mode:o}, wanted 644" in detail
        assert "ask steve for `chmod 644 " in probe.remedy
    with pytest.raises(StepFailed, match="belongs to steve"):
        staging.switch(everything, area, scene.host, Quiet())
    assert scene.modes()[name] == mode
    # The remedy works.
    scene.put(name, files[name], mode=0o664)
    staging.switch(everything, area, scene.host, Quiet())
    assert staging.look_switched(everything, area, scene.host).state is RemoteState.IDENTICAL


def test_file_that_changed_after_it_was_adopted_stops_the_switch(scene: Scene) -> None:
    files = scene.upload()
    scene.arrived()
    name = "python-3.15.0rc1.exe"
    scene.put(name, files[name][::-1])
    area = RemoteLayout(scene.release.version).downloads
    everything = experts.with_brought([], scene.release, ["windows"], area)
    with pytest.raises(StepFailed, match="files with other content exist there"):
        staging.switch(everything, area, scene.host, Quiet())


def test_folder_that_others_made_is_entered_and_never_changed(scene: Scene, tmp_path: Path) -> None:
    """Bundles go beside the parts of an installer, into a folder of the pipeline's."""
    files = scene.upload()
    inner = scene.folder / "amd64rc1"
    inner.chmod(0o2775)
    scene.arrived()
    bundle = tmp_path / "core.msi.sigstore"
    bundle.write_bytes(b"bundle")
    ours = NamedFile("amd64rc1/core.msi.sigstore", Content.of(b"bundle"), bundle)
    area = RemoteLayout(scene.release.version).downloads
    scene.host.make_folders([f"{area.staging}/amd64rc1"], 0o2775)
    staging.stage([ours], area, scene.host, Quiet())
    everything = (*all_wanted(files), ours)
    staging.switch(everything, area, scene.host, Quiet())
    assert (inner / "core.msi.sigstore").read_bytes() == b"bundle"


def _close(scene: Scene, folder: str) -> str:
    """As the pipeline leaves what it made: its last line is ``chmod "g-x,o+r" $d*``."""
    path = f"{ROOT}/{scene.release.version.folder}/{folder}"
    scene.world.server.disk.prepare(path, "steve", "downloads", 0o2745)
    return path


def test_folder_that_the_pipeline_closed_to_its_group_is_waited_for_and_then_adopted(
    scene: Scene,
) -> None:
    files = scene.upload()
    path = _close(scene, "amd64rc1")
    with pytest.raises(Waiting, match=r"waiting for steve: .*/3\.15\.0/amd64rc1 belongs to") as e:
        scene.arrived()
    assert "has mode 2745" in e.value.problem
    assert e.value.remedy.startswith(f"ask steve for `chmod g+rwx {path}`")
    (finding,) = brought.nothing_unexpected_is_public(
        scene.release, contract_with(scene, files), scene.host, []
    )
    assert (finding.rule, finding.severity) == ("brought.unseen", Severity.BLOCK)
    assert finding.where.endswith("/3.15.0/amd64rc1")
    scene.world.server.disk.change_mode("steve", path, 0o2775)
    assert len(scene.arrived()) == len(files) + 1
    area = RemoteLayout(scene.release.version).downloads
    everything = experts.with_brought([], scene.release, ["windows"], area)
    staging.switch(everything, area, scene.host, Quiet())
    # It is closed once more when the pipeline runs again.
    _close(scene, "amd64rc1")
    with pytest.raises(ServiceFailed, match="steve, whose folder it is, has closed it to its"):
        staging.look_switched(everything, area, scene.host)
    whole = experts.with_extras(scene.contract, everything, area).without(
        *(origin for origin in Origin if origin is not Origin.WINDOWS)
    )
    with pytest.raises(Waiting, match="so we cannot look into it"):
        published_bytes(whole, scene.host)
    scene.world.server.disk.change_mode("steve", path, 0o2755)
    assert staging.look_switched(everything, area, scene.host).state is RemoteState.IDENTICAL
    assert set(published_bytes(whole, scene.host)) == {f"3.15.0/{name}" for name in files}


def test_folder_of_an_earlier_candidate_that_is_closed_to_the_group_hinders_nothing(
    scene: Scene,
) -> None:
    """The release after it has the same X.Y.Z, and nothing to look for in there."""
    files = scene.upload()
    _close(scene, "amd64b4")
    assert len(scene.arrived()) == len(files) + 1
    area = RemoteLayout(scene.release.version).downloads
    everything = experts.with_brought([], scene.release, ["windows"], area)
    staging.switch(everything, area, scene.host, Quiet())
    assert staging.look_switched(everything, area, scene.host).state is RemoteState.IDENTICAL
    assert files_of_others_are_readable(scene.host, [area.final]) == ()
    roles = ["windows"]
    assert (
        brought.nothing_unexpected_is_public(scene.release, scene.contract, scene.host, roles) == ()
    )


@pytest.mark.parametrize("closed", [True, False])
def test_installers_of_an_earlier_candidate_stay_where_those_of_this_one_come_later(
    tmp_path: Path, a_release: Builds, *, closed: bool
) -> None:
    """Users have them; what the waiver defers is this release's own."""
    with a_scene(tmp_path, a_release("3.15.0rc2")) as scene:
        scene.put("python-3.15.0rc1.exe", b"of the candidate before")
        scene.put("python-3.15.0rc1-amd64.exe.spdx.json", b"of the candidate before")
        scene.put("amd64rc1/core.msi", b"of the candidate before")
        if closed:
            _close(scene, "amd64rc1")
        scene.put("python-3.15.0rc2-amd64.exe", b"too early")
        promised = contract_of(scene.release, without=[Origin.WINDOWS])
        (finding,) = brought.nothing_unexpected_is_public(scene.release, promised, scene.host, [])
        assert finding.rule == "brought.unexpected"
        assert finding.where.endswith("/python-3.15.0rc2-amd64.exe")


def test_public_folder_that_is_closed_itself_says_who_opens_it(scene: Scene) -> None:
    scene.upload()
    _close(scene, "")
    with pytest.raises(ServiceFailed, match=r"denied: .*/3\.15\.0 is steve:downloads with"):
        scene.host.listing("3.15.0")


# ── judgements ─────────────────────────────────────────────────────────────────────────────


def rules(findings: tuple[object, ...]) -> list[str]:
    return [each.rule for each in findings]  # type: ignore[attr-defined]


def test_what_the_pipeline_brought_passes(scene: Scene) -> None:
    scene.upload()
    scene.arrived()
    roles = ["windows"]
    assert brought.what_files_tell_is_true(scene.release, scene.host, roles) == ()
    found = brought.brought_is_proved(scene.release, scene.contract, roles)
    assert rules(found) == ["brought.approved_only"]
    assert (
        brought.nothing_unexpected_is_public(scene.release, scene.contract, scene.host, roles) == ()
    )


def test_promised_file_that_the_pipeline_does_not_tell_blocks(scene: Scene) -> None:
    """Its tables are gone after 30 days: then a person says what no machine can any more."""
    scene.upload()
    scene.release.layout.reported_by_pipeline.unlink()
    scene.arrived()
    (finding,) = brought.brought_is_proved(scene.release, scene.contract, ["windows"])
    assert (finding.rule, finding.severity) == ("brought.unproved", Severity.BLOCK)
    assert "a signed manifest" in finding.remedy


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda entry: entry["hash"].update(sha256="0" * 64), "gives another sha256"),
        (lambda entry: entry.update(hash={}), "gives no sha256"),
        (lambda entry: entry.update(hash=[]), "gives no sha256"),
        (lambda entry: entry.update(url="https://evil.example/x.zip"), "not of this release"),
        (lambda entry: entry.update(url=7), "leads to a int"),
        (lambda entry: entry.update(url=entry["url"] + "x"), "which does not exist"),
        (lambda entry: entry.update({"sort-version": "3.15.0rc2"}), "version 3.15.0rc2, wanted"),
        (lambda entry: entry.pop("sort-version"), "the version a NoneType, wanted 3.15.0rc1"),
    ],
)
def test_manifest_of_the_install_manager_that_is_wrong_blocks(
    scene: Scene, change: object, told: str
) -> None:
    files = scene.upload()
    name = "windows-3.15.0rc1.json"
    content = json.loads(files[name])
    change(content["versions"][0])  # type: ignore[operator]
    files[name] = json.dumps(content).encode()
    scene.put(name, files[name])
    scene.tell(files)
    scene.arrived()
    finding, *more = brought.what_files_tell_is_true(scene.release, scene.host, ["windows"])
    assert (finding.rule, finding.severity) == ("brought.untrue", Severity.BLOCK)
    assert told in finding.message
    # with another address, the package that it led to is not listed
    assert all("does not list 3.15.0/python-3.15.0rc1-" in each.message for each in more)


def test_package_that_the_manifest_does_not_list_blocks(scene: Scene) -> None:
    """Users of that machine could not install the release; those of a candidate are others'."""
    files = scene.upload()
    name = "windows-3.15.0rc1.json"
    content = json.loads(files[name])
    content["versions"] = [each for each in content["versions"] if "1t-arm64" not in each["url"]]
    files[name] = json.dumps(content).encode()
    scene.put(name, files[name])
    scene.tell(files)
    scene.arrived()
    (finding,) = brought.what_files_tell_is_true(scene.release, scene.host, ["windows"])
    assert finding.message == "does not list 3.15.0/python-3.15.0rc1t-arm64.zip"


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("versionInfo", "3.15.0b4", "versionInfo is 3.15.0b4, wanted 3.15.0rc1"),
        ("packageFileName", "python-3.15.0rc1.exe", "packageFileName is python-3.15.0rc1.exe, wa"),
        ("downloadLocation", "https://www.python.org/ftp/python/3.14.0/x", "downloadLocation is"),
        (
            "externalRefs",
            [{"referenceLocator": "cpe:2.3:a:python:python:3.15.0b4:*"}],
            "its CPE is",
        ),
        ("checksums", [], "gives no sha256 of it"),
        ("checksums", [{"algorithm": "SHA256", "checksumValue": "0" * 64}], "gives another sha256"),
        ("name", "pip", "gives no sha256 of it"),
    ],
)
def test_sbom_that_is_of_another_file_blocks(
    scene: Scene, key: str, value: object, told: str
) -> None:
    files = scene.upload()
    name = "python-3.15.0rc1-amd64.exe.spdx.json"
    content = json.loads(files[name])
    content["packages"][0][key] = value
    scene.put(name, json.dumps(content).encode())
    scene.arrived()
    (finding,) = brought.what_files_tell_is_true(scene.release, scene.host, ["windows"])
    assert (finding.rule, finding.where) == ("brought.untrue", f"3.15.0/{name}")
    assert told in finding.message


@pytest.mark.parametrize("text", [b"", b"[", b"[" * 5000, b'{"versions": 3}', b"\xff", b"null"])
def test_manifest_that_is_none_blocks_in_one_line(scene: Scene, text: bytes) -> None:
    files = scene.upload()
    name = "windows-3.15.0rc1.json"
    files[name] = text or b" "
    scene.put(name, files[name])
    scene.tell(files)
    scene.arrived()
    (finding,) = brought.what_files_tell_is_true(scene.release, scene.host, ["windows"])
    assert finding.rule == "brought.untrue"
    assert str(finding).isprintable()


def test_sbom_that_tells_another_digest_blocks(scene: Scene) -> None:
    """python/cpython#142200."""
    files = scene.upload()
    name = "python-3.15.0rc1-embed-amd64.zip.spdx.json"
    scene.put(name, files[name].replace(files[name][-80:-60], b"0" * 20))
    content = json.loads(files[name])
    content["packages"][0]["checksums"][0]["checksumValue"] = "0" * 64
    scene.put(name, json.dumps(content).encode())
    scene.arrived()
    (finding,) = brought.what_files_tell_is_true(scene.release, scene.host, ["windows"])
    assert (finding.rule, finding.where) == ("brought.untrue", f"3.15.0/{name}")


def test_file_that_nobody_promised_blocks_with_its_owner(scene: Scene) -> None:
    scene.upload()
    scene.put("Python-3.15.0b4.tgz", b"of a beta")
    scene.put("python-3.15.0rc1-wasm32-wasip1.tar.xz", b"of nobody")
    scene.arrived()
    (finding,) = brought.nothing_unexpected_is_public(
        scene.release, scene.contract, scene.host, ["windows"]
    )
    assert (finding.rule, finding.severity) == ("brought.unexpected", Severity.BLOCK)
    assert "uploaded by steve" in finding.message
    assert "wasm32" in finding.where


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("python-3.15.0rc1-docs-html.zip", ""),
        ("python-3.15.0rc1.pkg.txt", ""),
        ("Python-3.15.0rc1.tgz.asc", ""),
        ("amd64rc1/late.msi", "windows"),
    ],
)
def test_expert_is_asked_again_only_for_what_the_contract_has_them_bring(
    scene: Scene, name: str, role: str
) -> None:
    scene.upload()
    scene.arrived()
    scene.put(name, b"later than the others")
    (finding,) = brought.nothing_unexpected_is_public(
        scene.release, scene.contract, scene.host, ["windows"]
    )
    assert finding.where.endswith(name)
    assert re.findall(r"doit forget await_(\w+)", finding.remedy) == ([role] if role else [])


def test_evidence_and_manifest_are_no_surprise_to_a_gate_that_looks_on(
    scene: Scene,
) -> None:
    """What waits for others days after the release is behind this gate as well."""
    scene.upload()
    scene.arrived()
    for path in (evidence_path(scene.release), *record_paths(scene.release)):
        scene.put(path.rpartition("/")[2], b"of the release manager")
    found = brought.nothing_unexpected_is_public(
        scene.release, scene.contract, scene.host, ["windows"]
    )
    assert found == ()


def test_installer_that_is_none_blocks_and_a_rehearsals_toy_does_not(scene: Scene) -> None:
    scene.upload()
    scene.arrived()
    real = replace(scene.release, rehearsal=False)
    found = brought.brought_is_of_its_kind(real, scene.host, ["windows"])
    assert set(rules(found)) == {"brought.kind"}
    assert any("signed installer" in each.message for each in found)
    toy = replace(scene.release, rehearsal=True)
    assert brought.brought_is_of_its_kind(toy, scene.host, ["windows"]) == ()


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("gone", "public.missing"),
        ("other", "public.differs"),
        ("closed", "public.closed"),
        ("new", "public.unjudged"),
    ],
)
def test_page_is_not_shown_unless_all_that_was_judged_is_there(
    scene: Scene, change: str, rule: str
) -> None:
    files = scene.upload()
    windows = contract_of(scene.release).without(
        *(each for each in type(scene.contract.files[0].origin) if each.value != "windows")
    )
    known = {f"3.15.0/{name}": _sha256(content) for name, content in files.items()}
    assert brought.promised_is_public(windows, known, scene.host) == ()
    name = "python-3.15.0rc1-amd64.exe"
    match change:
        case "gone":
            (scene.folder / name).unlink()
        case "other":
            scene.put(name, files[name][::-1])
        case "closed":
            scene.put(name, files[name], mode=0o640)
        case _:
            del known[f"3.15.0/{name}"]
    (finding,) = brought.promised_is_public(windows, known, scene.host)
    assert (finding.rule, finding.where) == (rule, f"3.15.0/{name}")


def test_what_a_whole_group_may_still_write_to_is_told_with_its_owner(scene: Scene) -> None:
    files = scene.upload()
    windows = contract_of(scene.release).without(
        *(each for each in type(scene.contract.files[0].origin) if each.value != "windows")
    )
    known = {f"3.15.0/{name}": _sha256(content) for name, content in files.items()}
    name = "python-3.15.0rc1-amd64.exe"
    scene.put(name, files[name], mode=0o664)
    (finding,) = brought.promised_is_public(windows, known, scene.host)
    assert (finding.rule, finding.severity) == ("public.closed", Severity.WARN)
    assert (finding.where, finding.remedy) == (f"3.15.0/{name}", "ask steve for chmod 644")


def test_check_that_cannot_look_blocks(scene: Scene) -> None:
    for findings in (
        brought.brought_is_proved(scene.release, scene.contract, ["windows"]),
        brought.what_files_tell_is_true(scene.release, scene.host, ["windows"]),
        brought.nothing_unexpected_is_public(
            scene.release, scene.contract, scene.host, ["windows"]
        ),
    ):
        (finding,) = findings
        assert (finding.rule, finding.severity) == ("brought.unseen", Severity.BLOCK)
        assert "await_windows" in finding.remedy


# ── verification ───────────────────────────────────────────────────────────────────────────


class Listing:
    """A visitor who sees the public folder, and nothing else."""

    def __init__(self, names: Iterable[str]) -> None:
        self._text = "".join(f'<a href="{name}">{name}</a>' for name in names)

    def read(self, url: str, endpoint: str, most_bytes: int = 1 << 23) -> Fetched:
        assert (endpoint, most_bytes > 0) == (AROUND, True)
        here = url.endswith("/3.15.0/")
        return Fetched(200 if here else 404, Content(0, ""), self._text if here else "")

    def releases(self) -> tuple[()]:
        return ()

    def refs(self, *names: str) -> dict[str, str]:
        return dict.fromkeys(names, "")


def test_files_of_experts_alone_are_no_published_release(scene: Scene) -> None:
    """They may be where users see them hours before the switch; one of ours is enough."""
    files = scene.upload()
    area = RemoteLayout(scene.release.version).downloads
    staging.stage([], area, scene.host, Quiet())
    for more, situation in (
        ((), Situation.NOTHING),
        (("Python-3.15.0rc1.tgz",), Situation.PUBLISHED),
    ):
        listing = Listing([*(name for name in files if "/" not in name), *more])
        clients = SimpleNamespace(public=listing, site=listing, history=listing, host=scene.host)
        context = SimpleNamespace(
            release=scene.release, contract=scene.contract, clients=clients, areas=(area,)
        )
        assert recognised(context).situation is situation  # type: ignore[arg-type]


def test_what_experts_put_where_users_see_it_counts_as_staged(scene: Scene) -> None:
    scene.upload()
    areas = (RemoteLayout(scene.release.version).downloads,)
    here = FoundFiles("local", scene.release.layout, {}, {}, ())
    found = staged_is_ready(
        scene.release, scene.contract, areas, scene.host, here, None,  # type: ignore[arg-type]
    )  # fmt: skip
    missing = [each.where for each in found if each.rule == "file.missing"]
    assert not [path for path in missing if path.endswith((".exe", "amd64.zip", ".json"))
                and not path.endswith(".spdx.json")]  # fmt: skip
    assert "3.15.0/python-3.15.0rc1-macos11.pkg" in missing
    assert not [each for each in found if each.rule == "file.unrecognised"]


# ── heads ──────────────────────────────────────────────────────────────────────────────────


def a_package(content: bytes) -> bytes:
    """A package of macOS, as far as its form goes."""
    contents = (
        "<xar><toc><checksum><offset>0</offset><size>20</size></checksum><file><data>"
        f"<length>{len(content)}</length><offset>20</offset><size>9</size></data></file>"
        "</toc></xar>"
    ).encode()
    packed = zlib.compress(contents)
    head = struct.pack(">4sHHQQI", b"xar!", 28, 1, len(packed), len(contents), 1)
    return head + packed + b"c" * 20 + content


@pytest.mark.parametrize("magic", [0x10B, 0x20B])
def test_head_of_an_installer_tells_where_it_ends(magic: int) -> None:
    program = a_program(b"x" * 1000, magic=magic)
    assert needed_bytes("a.exe", program[:512]) == len(program)
    assert is_of_its_kind("a.exe", program)
    assert not is_of_its_kind("a.exe", a_program(b"", signed=False, magic=magic))
    package = a_package(b"y" * 1000)
    assert needed_bytes("a.pkg", package[:300]) == len(package)
    assert is_of_its_kind("a.zip", b"PK\x03\x04")
    assert is_of_its_kind("a.json", b"")


@pytest.mark.parametrize("cut", range(0, 300, 7))
def test_head_that_is_cut_or_broken_tells_nothing(cut: int) -> None:
    for name, whole in (("a.exe", a_program(b"")), ("a.pkg", a_package(b""))):
        assert needed_bytes(name, whole[:cut]) in (0, needed_bytes(name, whole))
        broken = whole[:cut] + b"\xff" * 40 + whole[cut + 40 :]
        assert needed_bytes(name, broken) >= 0
