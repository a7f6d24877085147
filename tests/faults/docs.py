"""Faults of the documentation, in its archives and on its pages."""

from __future__ import annotations

import bz2
import io
import shutil
import tarfile
import zipfile
from typing import TYPE_CHECKING

from tests.faults.fault import HTML, Fault, file_of, zip_of
from tests.faults.files import changed_to, gone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.released import Released

__all__ = ["docs_faults"]


def _paged(
    change: Callable[[dict[str, bytes]], None], *, both: bool = True
) -> Callable[[Released], None]:
    """The pages of the HTML archives are others, of both or of the zip alone."""

    def do(world: Released) -> None:
        packed, tarred = file_of(f"{HTML}.zip"), file_of(f"{HTML}.tar.bz2")
        with zipfile.ZipFile(world.path(packed)) as opened:
            pages = {
                each.filename: opened.read(each) for each in opened.infolist() if not each.is_dir()
            }
        change(pages)
        world.put(packed, zip_of(pages))
        if both:
            world.put(tarred, bz2.compress(_tar(pages)))

    return do


def _tar(pages: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in pages.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def _page(name: str, content: bytes) -> Callable[[dict[str, bytes]], None]:
    return lambda pages: pages.update({f"{HTML}/{name}": content})


def _no_page(name: str) -> Callable[[dict[str, bytes]], None]:
    return lambda pages: pages.__delitem__(f"{HTML}/{name}")


def _hosted(name: str, content: bytes | None) -> Callable[[Released], None]:
    def do(world: Released) -> None:
        path = world.docs / name
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content)
        shutil.rmtree(world.world / "state" / "cdn" / "docs", ignore_errors=True)

    return do


def _tar_with(kind: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        info = tarfile.TarInfo(f"{HTML}/out")
        info.type, info.linkname = kind, "/etc/passwd"
        tar.addfile(info)
    return bz2.compress(out.getvalue())


def docs_faults() -> Iterator[Fault]:
    page = b"<html><body>new</body></html>"
    rule = "docs.different"
    yield Fault("the zip lacks a page", rule, _paged(_no_page("license.html"), both=False))
    yield Fault("the zip has a page more", rule, _paged(_page("new.html", page), both=False))
    yield Fault("the zip has another page", rule, _paged(_page("license.html", page), both=False))
    text = b"<html><p>New in version 3.13.6 (unreleased)</p></html>"
    rule = "docs.unreleased"
    yield Fault("a page says (unreleased)", rule, _paged(_page("license.html", text)))
    rule = "docs.link"
    for told, link in (
        ("page", b"nowhere.html"),
        ("folder", b"nowhere/"),
        ("file up", b"../x.html"),
    ):
        broken = b'<html><a class="x" href="' + link + b'">x</a></html>'
        yield Fault(f"a link to a {told} that is not there", rule, _paged(_page("a.html", broken)))
    yield Fault("a page is gone that others lead to", rule, _paged(_no_page("license.html")))
    up = {f"{HTML}/../../evil": b"x", f"{HTML}/index.html": page}
    zipped = file_of(f"{HTML}.zip")
    tarred = file_of(f"{HTML}.tar.bz2")
    rule = "docs.unreadable"
    yield Fault("a zip that leads up", rule, changed_to(zipped, lambda _: zip_of(up)))
    yield Fault("a zip without pages", rule, changed_to(zipped, lambda _: zip_of({"a": b"x"})))
    epub = file_of("python-3.13.6-docs.epub")
    yield Fault("an epub that is HTML", rule, changed_to(epub, lambda _: b"<html>" * 300))
    for name, kind in (("link", tarfile.SYMTYPE), ("device", tarfile.CHRTYPE)):
        content = _tar_with(kind)
        yield Fault(f"a tar with a {name}", rule, changed_to(tarred, lambda _, it=content: it))  # type: ignore[misc]
    rule = "docs.hosted"
    yield Fault("a hosted page is another", rule, _hosted("contents.html", page))
    yield Fault("a hosted page is gone", rule, _hosted("whatsnew/changelog.html", None))
    yield Fault("a page is gone that few readers open", rule, _hosted("license.html", None))
    yield Fault("the search index is older", rule, _hosted("searchindex.js", b"Search({})"))
    yield Fault("an archive is not there", "docs.missing", gone(zipped))
    yield Fault("the epub is not there", "docs.missing", gone(file_of("python-3.13.6-docs.epub")))
