"""The checks held to the real thing: what upstream published of 3.13.5, looked at and built."""

from __future__ import annotations

import json
import lzma
import shutil
import tarfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from spdx_tools.spdx.parser.parse_anything import parse_file

from checks.archives import archives_are_sound
from checks.sbom import sboms_are_true
from checks.sbom_statements import sboms_say_nothing_else
from doit_receipts.artifact import sha256_of
from plugins.model.layout import Layout
from plugins.model.local_settings import SourceTest
from plugins.model.release import Release, type_of
from plugins.model.series import series_of
from plugins.model.vendored import BUNDLED
from plugins.model.version import Version
from plugins.ports.sbom import Wheel
from plugins.ports.signing import Verdict
from plugins.rehearsal.gnupg_home import gnupg_home
from plugins.services.git_clone import GitClone
from plugins.services.gnupg_signer import GnupgKeyring
from plugins.services.programs import MachinePrograms
from plugins.services.spdx import SpdxDocuments
from plugins.steps import sbom, source_test
from tests.packing import packed
from tests.progress import Quiet
from tests.real.tree import EPOCH_S, RELEASED, make_real_clone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.real.conftest import Upstream

pytestmark = [pytest.mark.real, pytest.mark.slow]


@pytest.fixture(scope="module")
def released(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Release:
    """3.13.5 with upstream's own .tar.xz, and a .tgz of the same stream."""
    version = Version.parse(RELEASED)
    layout = Layout(tmp_path_factory.mktemp("build") / RELEASED, version)
    layout.src.mkdir(parents=True)
    tgz, xz = layout.tarballs
    shutil.copy(upstream.archive, xz)
    with lzma.open(xz) as stream:
        tgz.write_bytes(packed(stream.read(), "gz"))
    return Release(version, type_of(version), series_of(version), layout)


@pytest.fixture(scope="module")
def clone(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> tuple[GitClone, str]:
    """The repository that stands for upstream's, and the commit of 3.13.5."""
    programs = MachinePrograms()
    folder = make_real_clone(tmp_path_factory.mktemp("real"), upstream.source)
    made = GitClone(folder, programs)
    return made, made.resolve(f"v{RELEASED}^{{commit}}")


def test_upstreams_archive_has_no_fault_of_its_own(
    released: Release, clone: tuple[GitClone, str], upstream: Upstream
) -> None:
    """The tag's own objects give the stream to the bit; only git had the entries of its NEWS."""

    @contextmanager
    def as_published(*_: object) -> Iterator[Callable[[], bytes]]:
        yield (upstream.source / "Misc/NEWS").read_bytes

    programs = MachinePrograms()
    found = archives_are_sound(released, clone[0], programs, clone[1], EPOCH_S, as_published)
    assert [str(each) for each in found] == []


class Published:
    """A package index that has the tree's own wheel, and one of each other project."""

    def __init__(self, bundled: Path) -> None:
        self._bundled = bundled

    def wheel(self, project: str, version: str, file_name: str = "") -> Wheel:
        name = file_name or f"{project}-{version}-py3-none-any.whl"
        sha256 = sha256_of(self._bundled / file_name) if file_name else "0" * 64
        return Wheel(f"https://files.example/{name}", sha256)


def test_upstreams_sbom_becomes_one_of_all_files(
    released: Release, clone: tuple[GitClone, str], upstream: Upstream
) -> None:
    facts = sbom.build(
        released, clone[0], SpdxDocuments(), Quiet(), commit=clone[1], epoch_s=EPOCH_S,
        index=Published(upstream.source / BUNDLED),
    )  # fmt: skip
    assert facts["files"] == "4808"
    for path in released.sboms:
        told = json.loads(path.read_bytes())
        assert len(told["files"]) == 4808
        names = [each["name"] for each in told["packages"]]
        assert names[:6] == ["CPython", "expat", "hacl-star", "libb2", "macholib", "mpdecimal"]
        assert "pip" in names[6:]
        assert len(parse_file(str(path)).files) == 4808
    assert sboms_are_true(released, clone[0], commit=clone[1]) == ()
    assert sboms_say_nothing_else(released, clone[0], commit=clone[1]) == ()


def test_upstreams_signature_is_good_but_its_key_has_expired(upstream: Upstream) -> None:
    with tarfile.open(upstream.packaging) as packaging:
        member = next(each for each in packaging.getnames() if each.endswith("signing-key.asc"))
        stream = packaging.extractfile(member)
        assert stream is not None
        key = stream.read()
    with gnupg_home() as home:
        home.gpg("--import", stdin=key)
        keyring = GnupgKeyring(home.folder)
        listed = keyring.keys()
        known = [each.fingerprint for each in listed]
        found = keyring.verify_by(upstream.archive, upstream.signature, known)
    assert found.verdict in (Verdict.GOOD, Verdict.EXPIRED)
    assert found.fingerprint in known


def test_upstreams_sources_build_and_pass_the_quick_tests(released: Release) -> None:
    facts = source_test.run(released, MachinePrograms(), SourceTest.QUICK, Quiet())
    assert facts["python"] == RELEASED
    assert facts["members"] == "5214"
    assert "test_tarfile" in facts["tests"].split()
