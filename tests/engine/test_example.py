"""The engine's example, released, killed wherever it writes, and resumed: one world comes out.

Nothing here knows what the example does but its two places outside: an index and a mailbox.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.ended import Ended
from tests.engine.conftest import DOIT, PROJECT

if TYPE_CHECKING:
    from collections.abc import Callable

    from plugins.rehearsal.gnupg_home import GnupgHome

EXAMPLE: Final = PROJECT / "doit_receipts/examples/package"
KILLER: Final = Path(__file__).with_name("killer.py")
NO_KEY: Final = "0" * 40
KILLS: Final = 24
PUBLISH: Final = ("run", "-n1", "publish")
"""One at a time, so that the same instants come in each run and all are of one process."""


@dataclass(frozen=True, slots=True)
class Shop:
    """A copy of the example whose release manager's key is real."""

    folder: Path
    home: Path
    python: str = sys.executable

    def doit(self, *words: str) -> Ended:
        return self._run("-m", "doit", *words)

    def killed(self, instant: str, *words: str) -> Ended:
        return self._run(str(KILLER), f"--at={instant}", f"--below={self.folder}", *words)

    def instants(self, *words: str) -> list[str]:
        """The names of all instants of the run, which is done."""
        report = self.folder / "instants"
        ended = self._run(str(KILLER), f"--report={report}", f"--below={self.folder}", *words)
        assert ended.status in (0, 4), ended
        found = report.read_text().splitlines()
        report.unlink()
        return found

    def _run(self, *words: str) -> Ended:
        ended = subprocess.run(
            [self.python, *words],
            cwd=self.folder,
            env={**os.environ, "GNUPGHOME": str(self.home)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    @property
    def index(self) -> dict[str, tuple[int, bytes]]:
        """What users see: each file with its number on the disk, which is another if replaced."""
        files = (self.folder / "world/index").rglob("*")
        return {
            each.name: (each.stat().st_ino, each.read_bytes()) for each in files if each.is_file()
        }

    @property
    def mails(self) -> list[bytes]:
        return [each.read_bytes() for each in (self.folder / "world/mail").glob("new/*.news")]

    @property
    def made(self) -> dict[str, bytes]:
        """What the release made but signatures, which hold a time and some randomness."""
        files = (self.folder / "build/1.0/dist").iterdir()
        return {each.name: each.read_bytes() for each in files if each.suffix != ".asc"}


def shop_in(folder: Path, keyring: GnupgHome, python: str = sys.executable) -> Shop:
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    declaration = folder / "pyproject.toml"
    key = keyring.key(f"rm-{folder.parent.name[-40:]}")
    declaration.write_text(declaration.read_text().replace(NO_KEY, key))
    return Shop(folder, keyring.folder, python)


@pytest.fixture
def shop(tmp_path: Path, keyring: GnupgHome) -> Shop:
    return shop_in(tmp_path / "shop", keyring)


def goes_on(shop: Shop) -> list[str]:
    """`doit publish` until it is done, with a person who looks into the mailbox if asked."""
    said = []
    for _ in range(3):
        ended = shop.doit("publish")
        said.append(ended.said)
        if ended.status == 0:
            assert ended.out.endswith("nothing remains\n")
            return said
        assert (ended.status, ended.waiting) == (4, ["mail_news"]), ended
        word = "adopt" if shop.mails else "retry"
        assert f"doit {word} mail_news" in ended.out
        assert shop.doit(word, "mail_news").status == 0
    pytest.fail(f"never done: {said}")


def spread(names: list[str], count: int) -> list[str]:
    """So many of the names, from the first to the last."""
    return [names[round(each * (len(names) - 1) / (count - 1))] for each in range(count)]


def release_survives(shop: Shop, count: Callable[[str, int], None], kills: int) -> None:
    """The release is killed at so many instants before and behind its approval, and resumed."""
    work, world, ready = (shop.folder / each for each in ("build", "world", "approved"))
    making = shop.instants(*PUBLISH)
    made = shop.made
    assert shop.doit("approve", "approve_release").status == 0
    shutil.copytree(work, ready)
    publishing = shop.instants(*PUBLISH)
    index = {name: content for name, (_, content) in shop.index.items()}
    (letter,) = shop.mails
    assert len(index) == 4
    assert len(making) > kills
    assert len(publishing) > kills
    for fatal in spread(making, kills):
        shutil.rmtree(work)
        assert shop.killed(fatal, *PUBLISH).status == -9, fatal
        assert shop.doit("publish").status == 4, fatal
        assert shop.made == made, fatal
    for fatal in spread(publishing, kills):
        shutil.rmtree(work)
        shutil.rmtree(world)
        shutil.copytree(ready, work)
        assert shop.killed(fatal, *PUBLISH).status == -9, fatal
        seen = shop.index
        goes_on(shop)
        assert {name: content for name, (_, content) in shop.index.items()} == index, fatal
        assert seen.items() <= {**shop.index, **_partial(seen)}.items(), fatal
        assert shop.mails == [letter], fatal
    count("kills of the example that were survived", 2 * kills)


def _partial(seen: dict[str, tuple[int, bytes]]) -> dict[str, tuple[int, bytes]]:
    return {name: each for name, each in seen.items() if name.endswith(".partial")}


def test_the_outline_of_the_example_is_80_lines_at_most() -> None:
    assert len((EXAMPLE / "dodo.py").read_text().splitlines()) <= 80


def test_the_example_has_the_block_of_the_readme() -> None:
    assert DOIT in (EXAMPLE / "pyproject.toml").read_text()


def test_the_example_is_released_once(shop: Shop) -> None:
    assert shop.doit().status == 0
    waiting = shop.doit("publish")
    assert (waiting.status, waiting.waiting) == (4, ["approve_release"])
    assert shop.doit("approve", "approve_release").status == 0
    assert shop.doit("publish").done == ["approve_release", "upload_files", "mail_news"]
    index = shop.index
    again = shop.doit("publish")
    assert (again.status, again.done) == (0, [])
    assert (shop.index, len(shop.mails)) == (index, 1)


def test_a_half_done_upload_is_completed_and_another_file_is_never_replaced(shop: Shop) -> None:
    shop.doit("approve_release")
    shop.doit("approve", "approve_release")
    there = shop.folder / "world/index/greeting/greeting-1.0.tar.gz"
    there.parent.mkdir(parents=True)
    shutil.copy(shop.folder / "build/1.0/dist" / there.name, there)
    number = there.stat().st_ino
    assert shop.doit("upload_files").status == 0
    assert there.stat().st_ino == number
    (shop.folder / "build/1.0/receipts/upload_files.json").unlink()
    there.write_bytes(b"of somebody else")
    stopped = shop.doit("upload_files")
    assert (stopped.status, stopped.failed) == (1, ["upload_files"])
    assert "greeting-1.0.tar.gz with other bytes" in stopped.out
    assert there.read_bytes() == b"of somebody else"


def test_a_changelog_of_another_version_stops_it_before_anything_is_built(shop: Shop) -> None:
    (shop.folder / "CHANGELOG.md").write_text("# Changes\n\n## 0.9\n\n- Nothing.\n")
    ended = shop.doit()
    assert (ended.status, ended.failed, ended.done) == (1, ["check_version"], [])
    assert "CHANGELOG.md: the newest entry is 0.9, and this is 1.0; write the entry" in ended.out


def test_a_name_is_normalised_and_sources_may_be_below_src(shop: Shop) -> None:
    declaration = shop.folder / "pyproject.toml"
    declaration.write_text(
        declaration.read_text().replace('name = "greeting"', 'name = "Polite.Greetings-Kit"')
    )
    (shop.folder / "src").mkdir()
    (shop.folder / "greeting").rename(shop.folder / "src/Polite_Greetings_Kit")
    (shop.folder / "CHANGELOG.md").write_text("## [v1.0] - 2026-11-29\n\n- First.\n\n## 0.9\n")
    assert shop.doit().status == 0
    assert set(shop.made) == {
        "polite_greetings_kit-1.0.tar.gz", "polite_greetings_kit-1.0-py3-none-any.whl",
    }  # fmt: skip
    assert shop.doit("approve_release").status == 4
    shop.doit("approve", "approve_release")
    assert shop.doit("publish").status == 0
    assert [each.name for each in (shop.folder / "world/index").iterdir()] == [
        "polite-greetings-kit"
    ]
    assert shop.mails[0].endswith(b"\n\n- First.\n")


def test_a_source_that_no_archive_holds_stops_it(shop: Shop) -> None:
    (shop.folder / "greeting/words.txt").write_text("hello\n")
    ended = shop.doit()
    assert (ended.status, ended.failed) == (1, ["check_archives"])
    assert "greeting-1.0/greeting/words.txt is missing (and 1 more); build anew" in ended.out


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('f"{NAME}.tar.gz").write', '"x.tar.gz").write',
         "build_sdist made x.tar.gz, and not greeting-1.0.tar.gz; name it so"),
        ("write_bytes(packed.getvalue())", "write_bytes(packed.getvalue()[:99])",
         "greeting-1.0.tar.gz cannot be read: "),
    ],
)  # fmt: skip
def test_a_backend_that_makes_something_else_is_one_line(
    shop: Shop, old: str, new: str, said: str
) -> None:
    backend = shop.folder / "build_backend.py"
    assert old in backend.read_text()
    backend.write_text(backend.read_text().replace(old, new))
    ended = shop.doit()
    assert ended.status == 1
    assert said in ended.out
    assert "Traceback" not in ended.said


def test_a_release_that_is_done_stays_done_where_its_folder_is_moved(shop: Shop) -> None:
    shop.doit()
    moved = Shop(shop.folder.rename(shop.folder.with_name("a shop")), shop.home)
    assert moved.doit().done == []


@pytest.mark.slow
def test_the_example_survives_a_kill_anywhere(
    shop: Shop, count: Callable[[str, int], None]
) -> None:
    release_survives(shop, count, KILLS)


@pytest.mark.slow
def test_the_example_is_all_that_an_empty_environment_needs(
    tmp_path: Path, keyring: GnupgHome, count: Callable[[str, int], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    python = engine_alone(tmp_path, monkeypatch)
    release_survives(shop_in(tmp_path / "shop", keyring, python), count, KILLS // 2)


def engine_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The Python of an environment that the engine was installed into, and nothing else."""
    monkeypatch.delenv("PYTHONPATH", raising=False)
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    python = str(folder / "venv/bin/python")
    source = folder / "doit_receipts"
    kept_out = shutil.ignore_patterns("*.egg-info", "__pycache__", "build")
    shutil.copytree(PROJECT / "doit_receipts", source, ignore=kept_out)
    ended = subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--no-input", source],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if ended.returncode and ("connection" in ended.stderr.lower() or "Retry" in ended.stderr):
        pytest.skip("doit cannot be had here: no network")
    assert ended.returncode == 0, ended.stderr
    listed = subprocess.run(
        [python, "-m", "pip", "list", "--format=freeze"], capture_output=True, text=True, check=True
    ).stdout
    names = {line.partition("==")[0] for line in listed.splitlines()}
    # doit's own needs, and what a new environment has.
    assert names - {"pip", "setuptools", "wheel"} <= {
        "doit-receipts", "doit", "cloudpickle", "importlib_metadata", "importlib-metadata", "zipp",
        "pyinotify", "macfsevents",
    }, names  # fmt: skip
    return python
