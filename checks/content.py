"""Content: what is judged of the bytes of archives and documentation, wherever they came from."""

from __future__ import annotations

import signal
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import field, replace
from functools import partial
from multiprocessing import get_context
from threading import Lock
from typing import TYPE_CHECKING

from checks import archives, built_docs, previous, rebuilds, rebuilt, sbom, sbom_statements
from checks.verify_context import CheckGroup
from doit_receipts.errors import StepFailed
from doit_receipts.frozen import frozen
from plugins.model.layout import Layout
from plugins.model.published_file import Kind
from plugins.model.rules import breach

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from checks.rebuilds import Others
    from checks.verify_context import Check, VerifyContext
    from doit_receipts.finding import Finding
    from plugins.model.archive import Archive
    from plugins.model.release import Release
    from plugins.ports.git import Clone

__all__ = ["ContentChecks"]

_PROCESSES = 2


@frozen
class ContentChecks:
    """The release whose layout holds the bytes, and the clone that holds its tag.

    ``here`` returns when the files of a kind are on this machine, ``tag`` judges the tag.
    """

    context: VerifyContext
    release: Release
    clone: Callable[[], Clone]
    tag: Check
    here: Callable[[Kind], object]
    looks_back: bool = False
    """Whether the clone has the tag of the release before, if there is one."""
    # The git that reads stays, and takes one question at a time.
    _one: Lock = field(default_factory=Lock)
    _reading: Lock = field(default_factory=Lock)
    _read: dict[Path, Future[Archive]] = field(default_factory=dict)

    def groups(self) -> list[CheckGroup]:
        """Everything that can be judged of them."""
        found = [
            CheckGroup("tag", "object, signature, branch, version", (self._named,), "tag.unseen"),
            CheckGroup(
                "source archives",
                "contents, both archives equal, the very stream that the tag gives"
                + self.looks_back * ", nothing lost",
                (self._sound, *((self._kept,) if self.looks_back else ())),
                "archive.tree",
            ),
        ]
        if self.release.series.ships_sbom:
            described = "against the archives and the tag's own"
            found.append(
                CheckGroup("SBOM", described, (self._described, self._bundled), "sbom.unreadable")
            )
        if self.context.judges_docs:
            described = (
                f"archives of {', '.join(self.context.formats)}: complete, links lead somewhere"
            )
            found.append(CheckGroup("documentation", described, (self._documented,)))
        if self.context.rebuild:
            described = "archives made again from the tag"
            found.append(CheckGroup("rebuild", described, (self._again,), "rebuild.failed"))
            if (others := self.context.make.others) is not None:
                asked = f"the ledger, and attestations of {others.farm.repository}"
                check = partial(self._by_others, others)
                found.append(CheckGroup("rebuild by others", asked, (check,), "rebuild.failed"))
        return found

    def _commit(self) -> str:
        return self.clone().resolve(f"refs/tags/{self.release.version.tag}^{{commit}}")

    def _named(self) -> tuple[Finding, ...]:
        with self._one:
            return self.tag()

    def _sound(self) -> tuple[Finding, ...]:
        self.here(Kind.SOURCE)
        clone, commit = self.clone(), self._commit()
        if not commit:
            tag = self.release.version.tag
            return (_without_tag("archive.tree", tag),)
        with self._one:
            epoch_s = int(clone.about(commit).committed.timestamp())
        programs = self.context.clients.programs
        return archives.archives_are_sound(
            self.release,
            clone,
            programs,
            commit,
            epoch_s,
            self.context.make.news,
            read=self._archive,
        )

    def _kept(self) -> tuple[Finding, ...]:
        clone, commit = self.clone(), self._commit()
        if not commit:
            return ()  # reported by what compares the archives with it
        with self._one:
            version = self.release.version
            return previous.release_holds_what_the_one_before_held(version, clone, commit)

    def _described(self) -> tuple[Finding, ...]:
        self.here(Kind.SOURCE)
        self.here(Kind.SBOM)
        return sbom.sboms_tell_content(self.release, read=self._archive)

    def _archive(self, path: Path) -> Archive:
        """Everything that the archive holds; whoever asks for it first reads it, for all."""
        from plugins.model.archive import read_archive  # noqa: PLC0415 - 15 ms

        with self._reading:
            mine = path not in self._read
            found = self._read.setdefault(path, Future())
        if mine:
            try:
                found.set_result(read_archive(path, sha1=self.release.series.ships_sbom))
            except BaseException as error:
                found.set_exception(error)
                raise
        return found.result()

    def _bundled(self) -> tuple[Finding, ...]:
        commit = self._commit()
        if not commit:
            tag = self.release.version.tag
            return (_without_tag("sbom.unreadable", tag),)
        with self._one:
            clone = self.clone()
            return (
                *sbom.sboms_are_true(self.release, clone, commit=commit),
                *sbom_statements.sboms_say_nothing_else(self.release, clone, commit=commit),
            )

    def _documented(self) -> tuple[Finding, ...]:
        self.here(Kind.DOCS)
        formats = self.context.formats
        # In processes of their own: unpacking and searching pages would keep all other checks
        # from the interpreter. Half of the time is the tar.bz2 of one format.
        try:
            with ProcessPoolExecutor(_PROCESSES, get_context("spawn"), _leave_stops) as pool:
                begun = [
                    pool.submit(built_docs.archives_complete, self.release, (form,))
                    for form in formats
                ]
                looks = (built_docs.no_unreleased, built_docs.links_lead_somewhere)
                begun += [pool.submit(look, self.release, formats) for look in looks]
                return tuple(finding for each in begun for finding in each.result())
        except BrokenProcessPool as error:
            raise StepFailed(
                where="documentation",
                problem="a process that read the archives was killed",
                remedy="check whether memory ran out, then run the same command again",
            ) from error

    def _by_others(self, others: Others) -> tuple[Finding, ...]:
        self.here(Kind.SOURCE)
        commit, clients = self._commit(), self.context.clients
        if not commit:
            return ()
        return rebuilds.others_of_a_stranger(
            self.release, others, commit, clients.verifier, clients.bundles
        )

    def _again(self) -> tuple[Finding, ...]:
        self.here(Kind.SOURCE)
        if not self._commit():
            return (_without_tag("rebuild.failed", self.release.version.tag),)
        layout = Layout(self.context.room.work / "rebuild", self.release.version)
        inside, clients = replace(self.release, layout=layout), self.context.clients
        with self._one:
            return rebuilt.rebuild_gives_the_same(
                self.release,
                inside,
                lambda: self.context.make.archives(
                    inside, self.clone(), clients.programs, clients.progress
                ),
            )


def _without_tag(rule: str, tag: str) -> Finding:
    remedy = "once the tag is there, run the same command again"
    return replace(breach(rule, tag, "there is no tag to compare with"), remedy=remedy)


def _leave_stops() -> None:
    """A terminal's Ctrl-C reaches every process; only the one that was started answers it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
