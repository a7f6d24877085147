"""Mending: what a remedy of `doit verify` says, done by whoever it asks: RM, admin, expert.

They know what was released (``pristine``), and of the fault only what its finding says: where, and
what was found and wanted. A remedy that names no act of theirs is no remedy, and is refused.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any, Final

from plugins.model.published_file import DOCS
from tests.released import mirror

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from doit_receipts.finding import Finding
    from plugins.model.published_file import PublishedFile
    from tests.released import Released

__all__ = ["mend"]

_DOWNLOADS: Final = "hosts/downloads/srv/www.python.org/ftp/python"
_PAGES: Final = "hosts/docs/srv/docs.python.org/release/3.13.6"
_REFS: Final = ("refs/tags/v3.13.6", "refs/heads/3.13")
_WANTED: Final = re.compile(r"its row's (\w+) is .*, wanted (.+)$")


def mend(world: Released, findings: tuple[Finding, ...]) -> None:
    """Each remedy was followed. Raises AssertionError for one that names nothing to do."""
    for finding in findings:
        acts = [act for words, act in _ACTS.items() if words in finding.remedy]
        assert acts, (finding.rule, finding.remedy)
        for act in acts:
            act(world, finding)


def _where(finding: Finding) -> str:
    """The path or address of a finding, without the endpoint that served it."""
    return finding.where.partition(" at ")[0]


def _pristine(world: Released) -> Path:
    return world.folder / "pristine"


def _put_back(world: Released, finding: Finding) -> None:
    """What the finding names is as it was released: a file, a page of the documentation, a row."""
    where = _where(finding)
    if finding.rule == "docs.hosted" or where.startswith(f"{DOCS}/release/3.13.6/"):
        _copied(world, f"{_PAGES}/{where.removeprefix(f'{DOCS}/release/3.13.6/')}")
        return
    folders = ("", "3.13.6/", "doc/3.13.6/")
    for path in (f"{_DOWNLOADS}/{folder}{where}" for folder in folders):
        if (_pristine(world) / path).is_file():
            _copied(world, path)


def _copied(world: Released, path: str) -> None:
    source, target = _pristine(world) / path, world.world / path
    target.unlink(missing_ok=True)
    if source.exists():
        shutil.copy2(source, target)
        _purge(world, None)


def _purge(world: Released, _finding: Finding | None) -> None:
    world.purge()


def _opened(world: Released, finding: Finding) -> None:
    """File and folder have the modes that they need on a host."""
    path = world.root / _where(finding)
    path.parent.chmod(0o2775)
    path.chmod(0o664)


def _opened_there(world: Released, finding: Finding) -> None:
    (path,) = world.staging.rglob(_where(finding).rpartition("/")[2])
    path.chmod(0o664)


def _moved_away(world: Released, finding: Finding) -> None:
    (world.root / _where(finding)).unlink(missing_ok=True)
    world.purge()


def _shown(world: Released, finding: Finding) -> None:
    """No page stands in the place of the list of a folder."""
    path = world.root / _where(finding).partition("/ftp/python/")[2]
    folder = (world.root / _where(finding)).parent if finding.rule == "file.unlisted" else path
    (folder / "index.html").unlink(missing_ok=True)


def _pushed(world: Released, _finding: Finding) -> None:
    """Tag and branch are what they were when they were released."""
    upstream = world.world / "upstream.git"
    for ref in _REFS:
        there = subprocess.run(
            ["git", "rev-parse", ref], cwd=_pristine(world) / "upstream.git", check=True,
            capture_output=True, text=True,
        ).stdout.strip()  # fmt: skip
        subprocess.run(["git", "update-ref", ref, there], cwd=upstream, check=True)


def _deleted_ref(world: Released, finding: Finding) -> None:
    world.git("update-ref", "-d", finding.where)


def _tables(world: Released) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((_pristine(world) / "state/site.json").read_bytes())
    return found


def _row(world: Released, finding: Finding) -> None:
    """What the finding wants is in the row."""
    file, row = _its_row(world, finding)
    found = _WANTED.search(finding.message)
    name, wanted = found.groups() if found else ("os", row["os"])
    assert str(row[name] or "empty") == str(wanted), finding.message
    world.tell(file, **{name: row[name]})


def _row_or_file(world: Released, finding: Finding) -> None:
    """Whichever of the two is not as the manifest lists it is so again."""
    file, row = _its_row(world, finding)
    tables = json.loads((world.world / "state/site.json").read_bytes())
    if row in _rows(tables):
        _put_back(world, finding)
    else:
        world.tell(file, filesize=row["filesize"], sha256_sum=row["sha256_sum"])


def _its_row(world: Released, finding: Finding) -> tuple[PublishedFile, dict[str, Any]]:
    """The file, and its row as the manifest lists it."""
    file = world.file(_where(finding).rpartition("/")[2])
    (row,) = (each for each in _rows(_tables(world)) if each["url"] == file.url)
    return file, row


def _rows(tables: Mapping[str, Any]) -> list[dict[str, Any]]:
    return list(tables["release_file"].values())


def _as_listed(world: Released, finding: Finding) -> None:
    """The site has the rows, or the release, that the release's manifest lists, and no others."""
    table = "release_file" if finding.rule.startswith("row.") else "release"

    def change(tables: dict[str, Any]) -> None:
        tables[table] = _tables(world)[table]

    world.site(change)


def _current(world: Released, _finding: Finding) -> None:
    link = world.root / "doc/current"
    link.unlink(missing_ok=True)
    link.symlink_to("3.13.6")


def _either(world: Released, finding: Finding) -> None:
    """What the manifest lists is in both places."""
    _put_back(world, finding)
    shutil.rmtree(world.local.work)
    world.export()


def _staged_again(world: Released, finding: Finding) -> None:
    """What was exported is staged where somebody removed something else."""
    name = _where(finding).rpartition("/")[2].removesuffix(".sigstore")
    (path,) = world.staging.rglob(name)
    path.unlink()
    shutil.copy2(world.here(world.file(name)), path)


def _exported(world: Released, _finding: Finding) -> None:
    """Nothing is missing on the release manager's machine."""
    shutil.rmtree(world.local.work)
    world.export()
    shutil.copytree(world.folder / "pristine-local/bundles", world.local.bundles)


def _upstream_again(world: Released, _finding: Finding) -> None:
    mirror(_pristine(world) / "upstream.git", world.world / "upstream.git")


def _imported(world: Released, _finding: Finding) -> None:
    """The keys of all who may sign are in the keyring."""
    world.keyring = world.manager.folder


def _waited(_world: Released, _finding: Finding) -> None:
    """Nothing is done but what another finding asks for."""


_ACTS: Final[Mapping[str, Callable[[Released, Finding], None]]] = {
    "have that put back": _put_back,
    "if the row is what the release's manifest lists": _row_or_file,
    "have what was released put back": _put_back,
    "have it put back": _put_back,
    "put the page of the archive back": _put_back,
    "correct its mode or the mode of its folder on the host": _opened,
    "move it away": _moved_away,
    "have it removed": _moved_away,
    "delete the index page": _shown,
    "delete an index page": _shown,
    "the tag that was released pushed again": _pushed,
    "have that pushed again": _pushed,
    "the tag or branch that was released pushed again": _pushed,
    "have whichever was moved, the tag or the branch, pushed again": _pushed,
    "find out who pushed it, and have it deleted": _deleted_ref,
    "write what is wanted into its row": _row,
    "add its row in the site's admin": _as_listed,
    "delete the row in the site's admin": _as_listed,
    "correct in its admin what the message names": _as_listed,
    "correct it in the site's admin": _as_listed,
    "set is_latest of": _as_listed,
    "point doc/current on the downloads host to this version": _current,
    "see which of the two the release's manifest lists": _either,
    "remove it on the host, then run doit publish": _staged_again,
    "delete whichever of the two was changed, then run doit publish": _staged_again,
    "check whether [repository] upstream can be reached": _upstream_again,
    "run it where the release was exported": _exported,
    "doit export makes what is missing here": _exported,
    "run doit export": _exported,
    "chmod 644 on the host": _opened_there,
    "once the tag is there, run the same command again": _waited,
    "import it": _imported,
    "purge": _purge,
}
"""What is done where a remedy has these words."""
