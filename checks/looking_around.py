"""Looking around: everything that users can reach of a release, fetched once, side by side.

What the host behind the caches has is kept on this machine, so that it can be judged; of what comes
out of each cache the digest is enough.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from checks.caches import Answer
from checks.hosted_docs import PAGES
from doit_receipts.errors import ReleaseError
from plugins.model.content import NamedFile
from plugins.model.found_files import FoundFiles
from plugins.model.published_file import DOCS, Kind
from plugins.ports.public import AROUND

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from concurrent.futures import Future
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from plugins.model.content import Content
    from plugins.model.contract import Contract, Purge
    from plugins.model.layout import Layout
    from plugins.model.published_file import PublishedFile
    from plugins.ports.public import PublicClient

__all__ = ["Look", "path_of"]

_AT_ONCE: Final = 8
_LEAST_BOUND: Final = 1 << 20
"""Of a page: where a server answers with an error, that has a size of its own."""
# What is judged longest is fetched first.
_ORDER: Final = (Kind.SOURCE, Kind.SIGNATURE, Kind.SBOM, Kind.DOCS)


class Look:
    """One look around; leave the block when everything was asked for."""

    def __init__(
        self, contract: Contract, room: Layout, client: PublicClient, *, docs: bool
    ) -> None:
        self.room = room
        self.contract = contract
        self._client = client
        self._docs = docs
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="fetched")
        self._files: dict[str, list[Future[Answer]]] = {}
        self._pages: list[tuple[Purge, list[Future[Answer]]]] = []
        self._hosted: dict[str, list[Future[Answer]]] = {}
        self._asking = Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(wait=True, cancel_futures=kind is not None)

    def start(self, pages: Iterable[Purge] = ()) -> None:
        """Everything is on its way: the files, their listings, and these pages of the site."""
        files = sorted(self.contract.files, key=_place)
        for file in files:
            self._files[file.remote] = [self._pool.submit(self._fetched, file, AROUND)]
        for purge in (*self.contract.file_purges, *pages):
            if purge.file is None:
                self._pages.append((purge, self._at_all_endpoints(purge.url)))
        if self._docs:
            for page in PAGES:
                url = f"{DOCS}/release/{self.contract.version}/{page}"
                self._hosted[page] = self._at_all_endpoints(url)
        for file in files:
            self._files[file.remote] += [
                self._pool.submit(self._fetched, file, endpoint)
                for endpoint in self._client.endpoints(file.url)
                if endpoint != AROUND
            ]

    def _at_all_endpoints(self, url: str) -> list[Future[Answer]]:
        return [
            self._pool.submit(self._read, url, endpoint) for endpoint in self._client.endpoints(url)
        ]

    def found_files(
        self, files: Iterable[PublishedFile], unexpected: tuple[str, ...] = ()
    ) -> FoundFiles:
        """These files as the host behind the caches has them; waits until they came."""
        found: dict[str, NamedFile] = {}
        closed: dict[str, str] = {}
        for file in files:
            answer = self._files[file.remote][0].result()
            if answer.fetched is None:
                closed[file.remote] = answer.problem
            elif answer.fetched.status != 200:
                closed[file.remote] = f"answers {answer.fetched.status}"
            else:
                path = path_of(file, self.room)
                content = answer.fetched.content
                found[file.remote] = NamedFile(file.remote, content, path, mode=0)
        return FoundFiles("python.org", self.room, found, closed, unexpected)

    def answers(self) -> dict[str, list[Answer]]:
        """What every endpoint gave of each file, by path."""
        return {remote: [each.result() for each in all_] for remote, all_ in self._files.items()}

    def pages(self) -> list[tuple[Purge, tuple[Answer, ...]]]:
        """What every endpoint gave of each page."""
        return [(page, tuple(each.result() for each in all_)) for page, all_ in self._pages]

    def hosted(self, wanted: Mapping[str, Content]) -> dict[str, list[Answer]]:
        """What every endpoint gave of the documentation's pages, of the main ones and of these."""
        with self._asking:
            for page, content in wanted.items():
                if page not in self._hosted:
                    url = f"{DOCS}/release/{self.contract.version}/{quote(page)}"
                    self._hosted[page] = [
                        self._pool.submit(self._page, url, endpoint, content)
                        for endpoint in self._client.endpoints(url)
                    ]
            asked = dict(self._hosted)
        return {page: [each.result() for each in all_] for page, all_ in asked.items()}

    def address(self, url: str) -> tuple[Answer, ...]:
        """What every endpoint gives of one page of the site, whether it was asked for before."""
        asked = [all_ for page, all_ in self._pages if page.url == url]
        return tuple(each.result() for each in (asked[0] if asked else self._at_all_endpoints(url)))

    def behind_the_caches(self, wanted: Mapping[str, Content]) -> dict[str, Answer]:
        """What is behind the caches at each address, of which about so many bytes are wanted."""
        asked = {
            url: self._pool.submit(self._page, url, AROUND, content)
            for url, content in wanted.items()
        }
        return {url: each.result() for url, each in asked.items()}

    def _page(self, url: str, endpoint: str, wanted: Content) -> Answer:
        try:
            most_bytes = max(wanted.size_bytes, _LEAST_BOUND)
            return Answer(endpoint, self._client.fetch(url, endpoint, most_bytes))
        except ReleaseError as error:
            return Answer(endpoint, None, error.problem)

    def _fetched(self, file: PublishedFile, endpoint: str) -> Answer:
        path = path_of(file, self.room) if endpoint == AROUND else None
        most = file.size.value[1]
        try:
            return Answer(endpoint, self._client.fetch(file.url, endpoint, most, path))
        except ReleaseError as error:
            if path is not None:
                path.unlink(missing_ok=True)  # of an earlier look
            return Answer(endpoint, None, error.problem)

    def _read(self, url: str, endpoint: str) -> Answer:
        try:
            return Answer(endpoint, self._client.read(url, endpoint))
        except ReleaseError as error:
            return Answer(endpoint, None, error.problem)


def path_of(file: PublishedFile, room: Layout) -> Path:
    """Where a file of the contract is on this machine, once it was fetched."""
    if file.kind is Kind.DOCS:
        return room.docs / file.name
    if file.folder == room.version.folder and file.kind in (Kind.SOURCE, *_beside(file)):
        return room.src / file.name
    return room.work / "others" / file.remote


def _beside(file: PublishedFile) -> tuple[Kind, ...]:
    """The kinds of file beside a source archive, if this is one."""
    return (Kind.SIGNATURE, Kind.SBOM) if file.name.startswith("Python-") else ()


def _place(file: PublishedFile) -> int:
    return _ORDER.index(file.kind) if file.kind in _ORDER else len(_ORDER)
