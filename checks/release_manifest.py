"""Release manifest: whether all that is public is what its signed list says, and nothing more.

The list is judged as any other file that is signed; here each of its entries is compared with what
everybody gets at this moment. What a newer release rightly changes (boxes, redirects, the flag of
the latest) is compared as long as the site has no other releases than when it was written.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from checks.bundles import bundles_are_good
from checks.published_set import belongs_to_another
from checks.signatures import signatures_are_good
from doit_receipts.errors import ReleaseError
from doit_receipts.frozen import frozen
from doit_receipts.printable import printable
from plugins.model.article import article_of
from plugins.model.earlier_rows import with_detached
from plugins.model.promise import record_paths
from plugins.model.public_site import PASSING, release_entry, row_entry
from plugins.model.published_file import DOCS, SITE
from plugins.model.record_signatures import is_plain_signature
from plugins.model.release_manifest import (
    BrokenRecord,
    Entry,
    EntryKind,
    ReleaseManifest,
    listing_entry,
)
from plugins.model.rules import breach
from plugins.ports.public import AROUND

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.caches import Answer
    from checks.looking_around import Look
    from checks.verify_context import VerifyContext
    from doit_receipts.finding import Finding
    from plugins.model.content import Content
    from plugins.model.contract import Contract

__all__ = ["manifest_holds", "names_with_record", "read_record"]

_OK = 200
_FILES = f"{SITE}/ftp/python/"


def names_with_record(context: VerifyContext, names: frozenset[str]) -> frozenset[str]:
    """The names that listings show, with the manifest and its signatures where only they hide.

    A list that leaves the manifest out must not make a release one that has none.
    """
    found = set(names)
    for path in record_paths(context.release):
        if path in names:
            continue
        try:
            answer = context.clients.public.read(f"{_FILES}{path}", AROUND)
        except ReleaseError:
            continue  # whoever cannot be asked is reported for every other file
        if answer.status == _OK:
            found.add(path)
    return frozenset(found)


def as_found(context: VerifyContext, names: frozenset[str]) -> Contract:
    """The contract, with what is beside the files of a release that another tool made.

    Only such a release has no manifest among its ``names``.
    """
    made_here = not names.isdisjoint(record_paths(context.release))
    return context.contract if made_here else with_detached(context.contract)


def read_record(context: VerifyContext, look: Look) -> ReleaseManifest | None:
    """The manifest as it is public; None if there is none that can be had.

    Raises BrokenRecord for a file in its place that is none, or is of another release.
    """
    place, *_ = record_paths(context.release)
    file = look.contract.find(place)
    found = look.found_files([file]).files.get(place) if file is not None else None
    if found is None or found.source is None:
        return None
    made = ReleaseManifest.from_bytes(found.source.read_bytes(), place)
    if made.release != str(context.release.version):
        raise BrokenRecord(
            where=place, problem=f"is that of {printable(made.release[:40])}", remedy=""
        )
    return made


def manifest_holds(
    context: VerifyContext, look: Look, names: frozenset[str]
) -> tuple[Finding, ...]:
    """Each entry of the manifest is as it says, and no file is public that it does not list.

    The entries of one that has no good signature are not followed: anybody may have written them.
    ``names`` are the files that listings show. A release without a manifest is said to be one;
    where a signature of it is public, or this machine published it, it was removed.
    """
    place, *beside = record_paths(context.release)
    if look.contract.find(place) is None:
        if proof := _was_there(context, look, beside):
            return (breach("manifest.removed", place, f"does not exist, but {proof}"),)
        return (breach("manifest.missing", place, "is not there: not everything is proved"),)
    try:
        made = read_record(context, look)
    except BrokenRecord as error:
        return (breach("manifest.unreadable", place, error.problem),)
    if made is None:
        return ()  # that it cannot be had is reported with the files
    judged = _Judged(context, look, made)
    unsigned = (
        *(
            breach("manifest.unsigned", path, "is not beside the manifest")
            for path in beside
            if look.contract.find(path) is None
        ),
        *(
            breach("manifest.unsigned", path, "is not in the form in which it was published")
            for path in beside
            if not judged.is_plain(path)
        ),
    )
    if not judged.is_signed():
        return unsigned  # what is wrong with each signature is reported with those of the files
    return (
        *unsigned,
        *judged.files(names),
        *judged.pages(),
        *judged.site(),
        *judged.refs(),
    )


def _was_there(context: VerifyContext, look: Look, beside: list[str]) -> str:
    """What proves that the manifest was published; "" if nothing that is seen from here does."""
    left = next((path for path in beside if look.contract.find(path) is not None), "")
    if left:
        return f"its signature {left.rpartition('/')[2]} does"
    receipt = context.release.layout.receipts / "publish_manifest.json"
    return "this machine published it" if receipt.is_file() else ""


@frozen
class _Judged:
    """One manifest against what is public."""

    context: VerifyContext
    look: Look
    made: ReleaseManifest

    def is_plain(self, path: str) -> bool:
        """Whether a signature that is there has no byte that its reader would pass over.

        Nothing lists the bytes of these, so they have one form only.
        """
        file = self.look.contract.find(path)
        there = self.look.found_files([file]).files.get(path) if file is not None else None
        if there is None or there.source is None:
            return True  # reported as missing
        return is_plain_signature(path, there.source.read_bytes())

    def is_signed(self) -> bool:
        """Whether one of its signatures at least is good."""
        contract, clients = self.look.contract, self.context.clients
        paths = record_paths(self.context.release)
        record, *beside = (file for file in map(contract.find, paths) if file is not None)
        found, by = self.look.found_files([record, *beside]), self.context.release.series.manager
        for each in beside:
            alone = replace(contract, files=(record, each), extras=())
            signers = self.context.signers
            if not (
                *signatures_are_good(alone, found, signers, clients.verifier),
                *bundles_are_good(alone, found, by, clients.bundles),
            ):
                return True
        return False

    def files(self, names: frozenset[str]) -> Iterator[Finding]:
        """Every file is the one that is listed, and every file is listed."""
        listed = self.made.contents(EntryKind.FILE)
        answers = self.look.answers()
        for path, wanted in listed.items():
            there = answers[path][0] if path in answers else self._fetched(path, wanted)
            if problem := _unlike(there, wanted):
                yield breach("manifest.differs", printable(path), problem)
            elif names and path not in names:
                problem = "is served, and no folder's list shows it"
                yield breach("file.unlisted", printable(path), problem)
        public = {path for path, all_ in answers.items() if _is_there(all_[0])} | names
        release = self.context.release
        for path in sorted(public - listed.keys() - set(record_paths(release))):
            if not belongs_to_another(path, release):
                yield breach("manifest.unlisted", printable(path), "is not in the manifest")

    def pages(self) -> Iterator[Finding]:
        """Every hosted page is the one that is listed, from each endpoint."""
        start = f"release/{self.made.release}/"
        wanted = {
            name.removeprefix(start): content
            for name, content in self.made.contents(EntryKind.DOCS_PAGE).items()
            if name.startswith(start)
        }
        answers = self.look.hosted(wanted) if wanted else {}
        for page, content in wanted.items():
            for each in answers[page]:
                if problem := _unlike(each, content):
                    where = f"{DOCS}/{start}{printable(page)} at {each.endpoint}"
                    yield breach("manifest.differs", where, problem)

    def site(self) -> Iterator[Finding]:
        """What python.org says is what is listed; what passes, as long as no release came since."""
        releases = self.context.clients.site.releases()
        now = listing_entry(each.slug for each in releases)
        same = self.made.by_name(EntryKind.LISTING).get(now.name) == now
        ours = [each for each in releases if each.slug in self.made.by_name(EntryKind.RELEASE)]
        found = [release_entry(each.slug, each.fields) for each in ours]
        yield from self._objects(EntryKind.RELEASE, found, () if same else (PASSING,))
        with suppress(ReleaseError):  # rows that cannot be read are reported with the website
            rows = self.context.clients.site.rows(ours[0]) if ours else ()
            entries = [row_entry(each.slug, each.system, each.fields) for each in rows]
            yield from self._objects(EntryKind.ROW, entries, ())
        for path, content in self.made.contents(EntryKind.PAGE).items():
            for each in self.look.address(f"{SITE}{path}"):
                text = each.fetched.text if each.fetched is not None else ""
                if _is_there(each) and article_of(text) != content:
                    problem = "has another date, text, link or digest than the manifest says"
                    yield breach("manifest.differs", f"{SITE}{path} at {each.endpoint}", problem)
        if same:
            yield from self._passing()

    def refs(self) -> Iterator[Finding]:
        """Upstream's tag is the listed object."""
        wanted = self.made.by_name(EntryKind.REF)
        there = self.context.clients.history.refs(*wanted) if wanted else {}
        for name, entry in wanted.items():
            listed = printable(str(dict(entry.fields).get("object")))
            if there[name] != listed:
                problem = f"is {there[name][:12] or 'not there'}, the manifest has {listed[:12]}"
                yield breach("manifest.differs", printable(name), problem)

    def _passing(self) -> Iterator[Finding]:
        """Boxes and redirects, from each endpoint."""
        for path, content in self.made.contents(EntryKind.BOX).items():
            for each in self.look.address(f"{SITE}{path}"):
                if problem := _unlike(each, content):
                    yield breach("manifest.differs", f"{SITE}{path} at {each.endpoint}", problem)
        for path, entry in self.made.by_name(EntryKind.REDIRECT).items():
            wanted = str(dict(entry.fields).get("leads_to"))
            for each in self.look.address(f"{SITE}{path}"):
                target = each.fetched.leads_to.removeprefix(SITE) if each.fetched else ""
                if target != wanted:
                    shown = printable(wanted)
                    problem = f"leads to {printable(target[:80]) or 'nothing'}, wanted {shown}"
                    yield breach("manifest.differs", f"{SITE}{path} at {each.endpoint}", problem)

    def _objects(
        self, kind: EntryKind, found: list[Entry], passing: tuple[str, ...]
    ) -> Iterator[Finding]:
        """Objects of the site's API by their fields; of one that is listed once there is one."""
        wanted = self.made.by_name(kind)
        there: dict[str, Entry] = {}
        for entry in found:
            where = f"{kind.value} {printable(entry.name)}"
            if entry.name in there or entry.name not in wanted:
                yield breach("manifest.unlisted", where, "is not in the manifest, or there twice")
            there[entry.name] = entry
        for name, entry in wanted.items():
            where = f"{kind.value} {printable(name)}"
            if name not in there:
                yield breach("manifest.differs", where, "is not there")
                continue
            fields = dict(there[name].fields)
            for field, value in entry.fields:
                if field not in passing and (field not in fields or fields[field] != value):
                    shown = printable(str(fields.get(field))[:80]) or "empty"
                    problem = (
                        f"its {field} is {shown}, the manifest has {printable(str(value)[:80])}"
                    )
                    yield breach("manifest.differs", where, problem)

    def _fetched(self, path: str, wanted: Content) -> Answer:
        """A listed file that neither the contract nor a folder's list names."""
        from checks.caches import Answer  # noqa: PLC0415 - as late as it is rare

        try:
            client = self.context.clients.public
            most_bytes = wanted.size_bytes + 1
            return Answer(AROUND, client.fetch(f"{_FILES}{path}", AROUND, most_bytes))
        except ReleaseError as error:
            return Answer(AROUND, None, error.problem)


def _is_there(answer: Answer) -> bool:
    return answer.fetched is not None and answer.fetched.status == _OK


def _unlike(answer: Answer, wanted: Content) -> str:
    """What is wrong with an answer; "" if it is the listed bytes."""
    if answer.fetched is None:
        return answer.problem
    if answer.fetched.status != _OK:
        return f"answers {answer.fetched.status}"
    if answer.fetched.content == wanted:
        return ""
    return f"is {answer.fetched.content.brief}, the manifest has {wanted.brief}"
