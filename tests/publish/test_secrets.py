"""Canaries: what every credential file holds is found nowhere but in these files.

A whole release with faults that end in errors, and everything that it wrote and said: evidence and
manifest with their signatures among it, as they are here and as they are published.
"""

from __future__ import annotations

import base64
import functools
import gzip
import io
import lzma
import re
import threading
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.publish.day import DONE, FAILED, WAITING
from tests.publish.walk import EXPORTED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.publish.day import Day
    from tests.publish.walk import Walk

pytestmark = pytest.mark.slow

ACCIDENTS = (
    ("check_access", "site.429", "1"),
    ("check_access", "ssh.host_key_changed", ""),
    ("check_access", "forum.500", ""),
    ("push_fork", "fork.refuses", ""),
    ("start_build", "github.500_after_write", ""),
    ("tell_experts", "mail.drop_before", ""),
    ("sign_bundles", "sigstore.503", ""),
    ("push_upstream", "upstream.refuses", ""),
    ("list_files", "site.500_after_write", ""),
    ("date_pep", "github.500_after_write", ""),
    ("mail_list", "mail.refuses", ""),
    ("mail_dev", "mail.drop_after_accept", ""),
    ("post_forum", "forum.500_after_write", ""),
)
"""Before which task what happens. Each makes a service tell of an error."""
SIGNED = (".intoto.jsonl", "-manifest.json", "-manifest.json.asc", "-manifest.json.sigstore")
"""How the last files that a release publishes end: evidence, manifest and its signatures."""


def canaries(day: Day) -> dict[str, tuple[bytes, ...]]:
    """Each secret, its parts and the forms in which it travels, by the name of its file."""
    found = {}
    for file in sorted((day.world / "secrets").iterdir()):
        secret = file.read_text().strip()
        words = {secret, secret.partition(":")[2] or secret}
        words |= {quote(each, safe="") for each in words}
        words |= {base64.b64encode(each.encode()).decode().rstrip("=") for each in tuple(words)}
        found[file.name] = tuple(word.encode() for word in sorted(words))
    return found


def test_no_secret_is_found_anywhere_but_in_its_own_file(
    walk: Walk, count: Callable[[str, int], None], observed: Callable[[str, str], None]
) -> None:
    day = walk.day
    day.restore(EXPORTED)
    planted = canaries(day)
    assert set(planted) >= {"github", "site", "site_admin", "mail", "forum", "sigstore"}
    texts: dict[str, bytes] = {}
    with watched_processes() as samples:
        for task, fault, argument in ACCIDENTS:
            day.restore(task)
            # Whoever logs in again has another token.
            planted = {name: (*planted[name], *words) for name, words in canaries(day).items()}
            day.order(fault, argument)
            ended = day.publish()
            texts[f"said: {task} {fault}"] = ended.said.encode()
            happened = [each["event"] for each in day.store.happened("faults")]
            assert fault in happened, (task, fault, ended)
            assert ended.status in (DONE, FAILED, WAITING), ended
            for words in (("list", "--status"), ("why", task), ("next",)):
                texts[f"said: {fault} {words}"] = day.doit(*words).said.encode()
            texts |= written(day, fault)
        day.store.save("faults", {})
        ended = day.go_on()
        texts |= written(day, "the end")
    texts["processes"] = "\n".join(sorted(samples)).encode()
    assert any("doit" in each or "starter" in each for each in samples)
    assert all(len({name for name in texts if name.endswith(each)}) > 1 for each in SIGNED)
    leaks = {
        name: [file for file, words in planted.items() if any(word in text for word in words)]
        for name, text in texts.items()
    }
    assert not {name: files for name, files in leaks.items() if files}
    count("texts and files searched for canary secrets, none found", len(texts))
    observed("canary secrets in every credential", f"in none of {len(texts)} texts and files")


def test_a_canary_that_leaks_would_be_found(walk: Walk) -> None:
    """The search sees what is in a journal, a log and a file of the world."""
    day = walk.day
    day.restore(EXPORTED)
    word = canaries(day)["mail"][0]
    for name in ("journal.jsonl", "logs/leak.log"):
        with (day.work / name).open("ab") as file:
            file.write(word)
    day.store.record("mail", "leak", said=word.decode())
    # A signed statement is in base64, at any third byte; archives are packed.
    folder = day.work / "evidence"
    folder.mkdir(exist_ok=True)
    for odd in range(3):
        payload = base64.b64encode(b'{"builder": ' + b" " * odd + word + b"}" * 30)
        (folder / f"{odd}.intoto.jsonl").write_bytes(b'{"payload": "' + payload + b'"}\n')
    (folder / "leak.gz").write_bytes(gzip.compress(word))
    (folder / "leak.xz").write_bytes(lzma.compress(word))
    with zipfile.ZipFile(folder / "leak.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("leak", word * 3)
    found = [name for name, text in written(day, "leak").items() if word in text]
    assert len(found) == 9


def written(day: Day, when: str) -> dict[str, bytes]:
    """Everything that release and world keep, but what the world needs to know its own secrets.

    Left out are the secret files, and the documents in which the parts keep what they compare with.
    """
    own = {"secrets", "site_people.json", "github.json"}
    tops = (day.work, day.world, day.declaration)
    files = [path for top in tops for path in ([top] if top.is_file() else top.rglob("*"))]
    return {
        f"{when}: {path.relative_to(day.folder)}": unfolded(path.read_bytes())
        for path in files
        if path.is_file() and not own & set(path.parts) and "docs-tools" not in path.parts
    }


@functools.cache
def unfolded(content: bytes) -> bytes:
    """The content, and what is packed or spelled in base64 in it, such as a signed statement."""
    parts = [content]
    # One that stopped half way cannot be unpacked, and is searched as it is.
    with suppress(zipfile.BadZipFile, lzma.LZMAError, EOFError, OSError, zlib.error):
        if content.startswith(b"PK"):
            with zipfile.ZipFile(io.BytesIO(content)) as opened:
                parts += [opened.read(each) for each in opened.infolist()]
        elif content.startswith(b"\x1f\x8b"):
            parts.append(gzip.decompress(content))
        elif content.startswith(b"\xfd7zXZ"):
            parts.append(lzma.decompress(content))
    parts += [
        base64.b64decode(run[: len(run) // 4 * 4])
        for run in re.findall(rb"[A-Za-z0-9+/]{32,}", content)
    ]
    return b"\n".join(parts)


class watched_processes:  # noqa: N801 - a with statement reads as a sentence
    """In the block, the command line and environment of every process of this machine are seen."""

    def __enter__(self) -> set[str]:
        self._seen: set[str] = set()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self._seen

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ending.wait(0.02):
            self._seen.update(_processes())


def _processes() -> Iterator[str]:
    for folder in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                text = (folder / name).read_bytes()
            except OSError:
                continue
            yield text.replace(b"\0", b" ").decode(errors="replace")
