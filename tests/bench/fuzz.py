"""Parsers of what others wrote, each with thousands of spoiled inputs: a value or one line.

    python tests/bench/fuzz.py [INPUTS] [FOLDER]

prints for each parser how many inputs it got (10,000 by default), how many it refused, how many
ended in anything but a value or its own error, how many took over a second, and the slowest. FOLDER
is that of a rehearsed release, whose own manifest and evidence are spoiled then as well. The inputs
are the same in each run. Exit status 1 for a traceback or a hang. What a service answers is
spoiled field by field by tests/services/test_hostile_answers.py.
"""

from __future__ import annotations

import io
import json
import random
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

_TOP: Final = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(_TOP))

from checks import own_tool  # noqa: E402 - the project need not be installed
from doit_receipts.errors import ReleaseError  # noqa: E402
from plugins.model import text_table  # noqa: E402
from plugins.model.article import article_of  # noqa: E402
from plugins.model.content import Content  # noqa: E402
from plugins.model.docs_lock import DocsLock, Pin, read_docs_lock  # noqa: E402
from plugins.model.envelope import read_envelope  # noqa: E402
from plugins.model.evidence import lines_of  # noqa: E402
from plugins.model.hash_table import read_table  # noqa: E402
from plugins.model.ledger import read_sums, sums_of  # noqa: E402
from plugins.model.manifest import Manifest  # noqa: E402
from plugins.model.news_entries import entries_of  # noqa: E402
from plugins.model.package_head import is_of_its_kind  # noqa: E402
from plugins.model.patchlevel import read_patchlevel  # noqa: E402
from plugins.model.pylock import read_lock  # noqa: E402
from plugins.model.record_signatures import is_plain_signature  # noqa: E402
from plugins.model.release_manifest import Entry, EntryKind, ReleaseManifest  # noqa: E402
from plugins.model.schedule import read_schedule  # noqa: E402
from plugins.model.statement import Statement, Subject, read_statement  # noqa: E402
from plugins.model.strict_json import BrokenJson, read_object  # noqa: E402
from plugins.model.version import Version  # noqa: E402
from plugins.model.xar import package_signature  # noqa: E402
from plugins.model.zipped import BrokenZip, opened_zip, plain_files  # noqa: E402
from plugins.steps import docs_lock  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Parser = tuple[bytes, Callable[[bytes], Any], tuple[type[Exception], ...]]

_LONGEST_S: Final = 1.0
_HANGS_S: Final = 20
_TOKENS: Final = (
    b"\x00", b"\xff\xfe", b"\n", b'"', b"{", b"[" * 300, b'{"a":' * 200, b"-1", b"1e999",
    b"9" * 400, b"NaN", b"null", b"true", b"../", b"\x1b[31m", b"\\ud800", b"\xe2\x80\xae", b"%",
    b"A" * 5000, b"--hash=sha256:", b"\r\n", b" " * 3000, b"'" * 50, b"(" * 300,
)  # fmt: skip
_HEX: Final = "ab" * 32


class _HungError(Exception):
    """An input that a parser did not come back from."""


def _text(parse: Callable[[str], Any]) -> Callable[[bytes], Any]:
    return lambda raw: parse(raw.decode("utf-8", "replace"))


def _zip(raw: bytes) -> Any:
    with opened_zip(io.BytesIO(raw)) as opened:
        return plain_files(opened, 1 << 20)


def _a_zip() -> bytes:
    import zipfile  # noqa: PLC0415 - to make the seed

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("a/b.txt", b"text" * 50)
        opened.writestr("c", b"")
    return out.getvalue()


def parsers(made: Path | None) -> Iterator[tuple[str, Parser]]:
    """Each parser with an input that it takes, and the errors that it may raise."""
    content = Content(7, _HEX)
    record = ReleaseManifest.of(
        "3.13.6",
        [
            Entry(EntryKind.FILE, "3.13.6/Python-3.13.6.tgz", content),
            Entry.of(EntryKind.ROW, "3136-tgz", {"filesize": 7, "is_source": True}),
        ],
    )
    yield (
        "release manifest",
        (record.to_bytes(), lambda raw: ReleaseManifest.from_bytes(raw, "x"), (ReleaseError,)),
    )
    experts = Manifest.of("3.13.6", "windows", "c" * 40, [])
    yield (
        "manifest of an expert",
        (experts.to_bytes(), lambda raw: Manifest.from_bytes(raw, "x"), (ReleaseError,)),
    )
    pins = (Pin("Sphinx", "8.2.3", _HEX), Pin("blurb", "2.3.0", _HEX))
    lock = DocsLock("3.13", "CPython 3.11 on linux-x86_64", _HEX, pins)
    yield "docs lock", (lock.content, read_docs_lock, (ValueError,))
    pylock = (
        b'lock-version = "1.0"\nrequires-python = ">=3.12"\n[[packages]]\nname = "a"\n'
        b'version = "1"\nwheels = [{url = "https://x/a", hashes = {sha256 = "%s"}}]\n'
    ) % _HEX.encode()
    yield "pylock.toml", (pylock, read_lock, (ValueError,))
    report = {
        "install": [
            {
                "metadata": {"name": "a", "version": "1"},
                "download_info": {
                    "url": "https://x/a-1-py3-none-any.whl",
                    "archive_info": {"hashes": {"sha256": _HEX}},
                },
            }
        ]
    }
    told = json.dumps(report).encode()
    yield "report of pip", (told, _text(docs_lock.pins_of), (ReleaseError,))
    listing = f"{_HEX}  pep101-1.0/dodo.py\n{_HEX}  pep101-1.0/checks/a.py\n".encode()
    yield "list of the tool", (listing, lambda raw: own_tool.read_list(raw, "pep101-1.0"), ())
    topics = b"# made\ntopics = {\n    'a': 'text',\n    'b': r'''more\n''',\n}\n"
    yield "pydoc topics", (topics, lambda raw: text_table.read(raw, "topics"), (ValueError,))
    yield "sums of a rebuild", (sums_of({"a.tgz": _HEX, "b.tar.xz": _HEX}), read_sums, ())
    table = f"Name SHA256 Length\n---- ------ ------\na.exe {_HEX.upper()} 7\n".encode()
    yield "table of the pipeline", (table, lambda raw: read_table(raw, "x"), (ReleaseError,))
    subjects = (Subject("3.13.6/Python-3.13.6.tgz", _HEX),)
    payload = Statement(subjects, "https://pep101.dev/release/v1", {"version": "1"}).payload()
    yield "strict JSON", (payload, lambda raw: read_object(raw, 1 << 20), (BrokenJson,))
    yield "in-toto statement", (payload, read_statement, (BrokenJson,))
    yield "version", (b"3.14.0rc1", _text(Version.parse), (ReleaseError, ValueError))
    parts = {"MAJOR_VERSION": 3, "MINOR_VERSION": 13, "MICRO_VERSION": 6, "RELEASE_SERIAL": 0}
    told_parts = "".join(f"#define PY_{name} {value}\n" for name, value in parts.items())
    level = "#define PY_RELEASE_LEVEL PY_RELEASE_LEVEL_FINAL\n"
    header = f'{told_parts}{level}#define PY_VERSION "3.13.6"\n'.encode()
    yield "patchlevel.h", (header, _text(read_patchlevel), (ReleaseError, ValueError))
    pep = b"PEP: 719\n\nRelease Schedule\n====\n\n- 3.13.6: Wednesday, 2025-08-06\n\nNotes\n"
    yield "schedule", (pep, _text(read_schedule), (ReleaseError, ValueError))
    news = b".. date: 2025-01-01\n.. gh-issue: 1\n.. nonce: abc\n.. section: Library\n\nText.\n"
    yield "NEWS", (news, _text(entries_of), (ReleaseError, ValueError))
    page = b"<article><h1>Python</h1><p>Text <a href='/x'>x</a></p><table></table></article>"
    yield "page of the site", (page, _text(article_of), ())
    armour = b"-----BEGIN PGP SIGNATURE-----\n\n" + b"A" * 64 + b"\n-----END PGP SIGNATURE-----\n"
    yield "signature of OpenPGP", (armour, lambda raw: is_plain_signature("a.asc", raw), ())
    yield "zip archive", (_a_zip(), _zip, (BrokenZip, ReleaseError))
    yield "head of an installer", (
        b"MZ" + b"\0" * 58 + b"@\0\0\0PE\0\0" + b"\0" * 40,
        lambda raw: is_of_its_kind("a.exe", raw), (),
    )  # fmt: skip
    yield "head of a package", (
        b"xar!\0\x1c\0\x01" + b"\0" * 60,
        lambda raw: package_signature(io.BytesIO(raw), "a.pkg"), (ReleaseError,),
    )  # fmt: skip
    for file in sorted(made.glob("build/*/evidence/*.jsonl")) if made else ():
        raw = file.read_bytes()
        yield "evidence", (raw, lambda raw: list(map(read_envelope, lines_of(raw))), (BrokenJson,))
        yield "bundle of a statement", (raw.splitlines()[0], read_envelope, (BrokenJson,))
    for file in sorted(made.glob("build/*/record/*manifest.json")) if made else ():
        yield (
            "manifest of that release",
            (
                file.read_bytes()[:8000],
                lambda raw: ReleaseManifest.from_bytes(raw, "x"),
                (ReleaseError,),
            ),
        )


def spoiled(seed: bytes, chance: random.Random) -> bytes:
    """The input with one to four things wrong."""
    raw = bytearray(seed)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(raw) + 1)
        kind = chance.randrange(6)
        if kind == 0:
            raw[place : place + 1] = bytes([chance.randrange(256)])
        elif kind == 1:
            raw[place:place] = chance.choice(_TOKENS)
        elif kind == 2:
            del raw[place : place + chance.randint(1, 40)]
        elif kind == 3:
            other = chance.randrange(len(raw) + 1)
            raw[place:place] = raw[other : other + chance.randint(1, 200)]
        elif kind == 4:
            raw[place : place + chance.randint(1, 12)] = chance.choice(_TOKENS)
        else:
            del raw[place:]
    return bytes(raw)


def main(inputs: int, made: Path | None) -> int:
    """Print the table; 1 if a parser did anything but give a value or its own error."""
    print(f"{'parser':<26}  inputs  refused  tracebacks  hangs    slowest")
    signal.signal(signal.SIGALRM, _stop)
    total = wrong = late = count = 0
    for name, (seed, parse, allowed) in parsers(made):
        chance = random.Random(name)
        with suppress(*allowed):  # a seed that is nearly one will do
            parse(seed)
        refused = tracebacks = hangs = 0
        slowest = 0.0
        for _ in range(inputs):
            raw = spoiled(seed, chance)
            begun = time.perf_counter()
            signal.alarm(_HANGS_S)
            try:
                refused += parse(raw) is None
            except allowed:
                refused += 1
            except _HungError:
                hangs += 1
            except Exception as error:  # noqa: BLE001 - whatever it is, it is counted
                tracebacks += 1
                if tracebacks == 1:
                    print(f"  {name}: {error!r:.120} for {raw!r:.200}")
            finally:
                signal.alarm(0)
            took = time.perf_counter() - begun
            slowest = max(slowest, took)
            hangs += took > _LONGEST_S
        cells = f"{inputs:>7,} {refused:>8,} {tracebacks:>11} {hangs:>6} {slowest * 1e3:>6.1f} ms"
        print(f"{name:<26} {cells}", flush=True)
        total, wrong, late, count = total + inputs, wrong + tracebacks, late + hangs, count + 1
    print(f"{count} parsers, {total:,} inputs, {wrong} tracebacks, {late} hangs")
    return int(bool(wrong or late))


def _stop(*_: object) -> None:
    raise _HungError


if __name__ == "__main__":
    place = Path(sys.argv[2]) if sys.argv[2:] else None
    sys.exit(main(int(sys.argv[1]) if sys.argv[1:] else 10_000, place))
