"""Faults of the website's rows, and of pages that a cache keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.faults.fault import FILES, TGZ, Fault, file_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.released import Released

__all__ = ["flag_faults", "listed_faults", "page_faults"]


def _row(listed: str, **fields: Any) -> Callable[[Released], None]:
    return lambda world: world.tell(file_of(listed), **fields)


def _rows(
    change: Callable[[dict[str, Any], dict[str, Any], str], None],
) -> Callable[[Released], None]:
    """The rows of the release are changed by ``change(rows, one of them, its number)``."""

    def do(world: Released) -> None:
        def tables(all_: dict[str, Any]) -> None:
            rows = all_["release_file"]
            url = file_of(TGZ).url
            number = next(key for key, row in rows.items() if row["url"] == url)
            change(rows, rows[number], number)

        world.site(tables)

    return do


def listed_faults() -> Iterator[Fault]:
    for file in FILES:
        if file.row is None:
            continue
        other = {"sha256_sum": "0" * 64}
        yield Fault(f"another digest of {file.name}", "row.digest", _row(file.name, **other))
        yield Fault(f"another size of {file.name}", "row.size", _row(file.name, filesize=1))
    url = "https://www.python.org/ftp/python/3.13.5/"
    for fields, rule in (
        ({"sha256_sum": ""}, "row.digest"),
        ({"sha256_sum": "md5:0"}, "row.digest"),
        ({"filesize": 0}, "row.size"),
        ({"gpg_signature_file": ""}, "row.sidecar"),
        ({"gpg_signature_file": f"{url}{TGZ}.asc"}, "row.sidecar"),
        ({"sbom_spdx2_file": ""}, "row.sidecar"),
        ({"sigstore_bundle_file": f"{url}{TGZ}.sigstore"}, "row.sidecar"),
        ({"download_button": True}, "row.button"),
        ({"is_source": False}, "row.text"),
        ({"name": "Gzipped tarball"}, "row.text"),
        ({"slug": "3136-other"}, "row.text"),
        ({"description": "for nobody"}, "row.text"),
        ({"os": 1}, "row.system"),
        ({"url": f"{url}{TGZ}"}, "row.missing"),
        ({"url": f"{url}{TGZ}"}, "row.surplus"),
        ({"url": f"{url}{TGZ}"}, "page.lacks"),
    ):
        told = ", ".join(f"{key}={value!r}" for key, value in fields.items())
        yield Fault(f"a row with {told}", rule, _row(TGZ, **fields))
    yield Fault("no button for macOS", "row.button",
                _row("python-3.13.6-macos11.pkg", download_button=False))  # fmt: skip
    yield Fault("a row less", "row.missing", _rows(lambda rows, _, key: rows.__delitem__(key)))
    yield Fault("a row twice", "row.surplus", _rows(
        lambda rows, row, _: rows.update({"999": {**row, "slug": "again"}})))  # fmt: skip
    more = {"url": "https://www.python.org/ftp/python/3.13.6/more.zip", "slug": "more"}
    yield Fault("a row more", "row.surplus", _rows(
        lambda rows, row, _: rows.update({"999": {**row, **more}})))  # fmt: skip


def flag_faults() -> Iterator[Fault]:
    rule = "site.flags"
    for fields in (
        {"is_published": False},
        {"pre_release": True},
        {"show_on_download_page": False},
        {"slug": "python-31360"},
    ):
        told = ", ".join(f"{key}={value!r}" for key, value in fields.items())
        yield Fault(f"a release with {told}", rule, lambda world, it=fields: world.flag(**it))  # type: ignore[misc]

    def twice(tables: dict[str, Any]) -> None:
        row = next(each for each in tables["release"].values() if each["slug"] == "python-3136")
        tables["release"]["999"] = dict(row)

    def same_name(tables: dict[str, Any]) -> None:
        row = next(each for each in tables["release"].values() if each["slug"] == "python-3136")
        again = {"slug": "python-3136-fixed", "name": "Python  3.13.6", "is_latest": False}
        tables["release"]["999"] = {**row, **again}

    def nobody(tables: dict[str, Any]) -> None:
        for row in tables["release"].values():
            row["is_latest"] = False

    def another(tables: dict[str, Any]) -> None:
        row = next(each for each in tables["release"].values() if each["slug"] == "python-3136")
        tables["release"]["999"] = {**row, "slug": "python-3120", "name": "Python 3.12.0"}

    def gone(tables: dict[str, Any]) -> None:
        keys = [key for key, each in tables["release"].items() if each["slug"] == "python-3136"]
        for key in keys:
            del tables["release"][key]

    yield Fault("two releases of one address", rule, lambda world: world.site(twice))
    yield Fault("two releases of one name", rule, lambda world: world.site(same_name))
    yield Fault("the release is gone", rule, lambda world: world.site(gone))
    rule = "site.latest"
    yield Fault("no release is the latest", rule, lambda world: world.site(nobody))
    yield Fault("two releases are the latest", rule, lambda world: world.site(another))


# ── caches of pages ──────────────────────────────────────────────────────────────────────────


def _old_page(edge: str, path: str) -> Callable[[Released], None]:
    def do(world: Released) -> None:
        world.keep(edge, f"https://www.python.org{path}", 200, b"<html>old</html>", "text/html")

    return do


def _unlisted(lacking: str) -> Callable[[Released], None]:
    """A page in the place of the folder's listing shows all but one file."""

    def do(world: Released) -> None:
        folder = world.root / "3.13.6"
        names = sorted(each.name + "/" * each.is_dir() for each in folder.iterdir())
        links = (f'<a href="{name}">{name}</a>' for name in names if name != lacking)
        (folder / "index.html").write_text("<html>" + "\n".join(links))
        world.purge()

    return do


def page_faults() -> Iterator[Fault]:
    for edge in ("a", "b"):
        for path in (
            "/downloads/release/python-3136/",
            "/downloads/",
            "/downloads/source/",
            "/downloads/windows/",
            "/downloads/macos/",
            "/ftp/python/3.13.6/",
            "/ftp/python/",
            "/ftp/python/doc/",
            "/ftp/python/doc/3.13.6/",
        ):
            yield Fault(f"{path} is old at edge {edge}", "cache.stale_page", _old_page(edge, path))

    def hidden(world: Released) -> None:
        (world.root / "index.html").write_text("<html>nothing here</html>")
        world.purge()

    yield Fault("the list of all releases lacks it", "page.lacks", hidden)
    for lacking in (f"{TGZ}.asc", "python-3.13.6-amd64.exe"):
        yield Fault(f"the folder's list lacks {lacking}", "file.unlisted", _unlisted(lacking))
