"""Rules: what `doit verify` judges by, one entry for each dotted id, with what to do about it.

The ids never change. docs/reference/rules.md is made from this table and from that of
`plugins.model.gate_rules`, which has what gates alone judge by.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doit_receipts.finding import Finding, Severity
from doit_receipts.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["RULES", "Rule", "breach"]


@frozen
class Rule:
    """What holds if the rule is kept, what to do where it is broken, and where it is from.

    ``milder`` are the severities of findings that are less grave than ``severity``. A rule that is
    not ``waivable`` says that what users get is what was judged: nobody can let that pass.
    """

    holds: str
    remedy: str
    source: str = ""
    severity: Severity = Severity.BLOCK
    milder: tuple[Severity, ...] = ()
    waivable: bool = True


def breach(rule: str, where: str, message: str) -> Finding:
    """A finding of the rule, with the remedy that belongs to it."""
    known = RULES[rule]
    return Finding(rule, known.severity, message, where, known.remedy)


_REPLACED: Final = (
    "find out who changed it, and have what was released put back; do not announce or trust it "
    "until then"
)
_RECORD: Final = (
    "find out who did it, and have what was released put back; do not trust it until then"
)
_TAG_HERE: Final = "delete it in the release clone, then run doit export: it is made again"
_AGAIN: Final = "delete it, then run doit export: it is made again from the tag"
_EXPORT: Final = "run doit export: what was changed or is missing is made again"
_SIGN_AGAIN: Final = "delete it, then run doit publish: it signs what has no bundle"
_ROW: Final = "write what is wanted into its row in the site's admin"
_WHICH: Final = (
    "if the row is what the release's manifest lists, have the file that was released put back; "
    "if not, write into it what the manifest lists, in the site's admin"
)

RULES: Final[Mapping[str, Rule]] = {
    "situation.unseen": Rule(
        "It is known whether the release is local, staged or published.",
        "check whether python.org can be reached, then run the same command again",
    ),
    "situation.nothing": Rule(
        "There is something to verify.",
        "run doit export, or name the release.toml of a release that was published",
    ),
    "file.missing": Rule(
        "Every file that the contract of this version names exists.",
        "doit export makes what is missing here, doit publish what is missing on the host; an"
        " expert's file is for them to bring: waive experts.NAME if it comes later",
        "cpython#127602: five releases with something missing",
    ),
    "file.closed": Rule(
        "Every file can be fetched by everybody.",
        "correct its mode or the mode of its folder on the host, then purge it",
        "pythondotorg#2499: the .tgz of 3.12.5 answered 403",
    ),
    "file.size": Rule(
        "Every file has a size that a file of its kind can have.",
        "delete it, then run doit export; an expert's file is for them to bring again",
    ),
    "file.mode": Rule(
        "Every file is a regular file that all may read and only its owners may write.",
        "chmod 644 on the host and here; replace links by the files they lead to",
        "cpython#73760",
    ),
    "file.unrecognised": Rule(
        "There is no file beside the release that nobody declared.",
        "find out who put it there, and move it away",
        "release-tools#6: every file is public as soon as it is uploaded",
    ),
    "file.unlisted": Rule(
        "A folder's listing shows every file that is served from it.",
        "delete the index page in its folder on the host that hides it, then purge the folder",
    ),
    "file.manifest": Rule(
        "The install manager's manifest gives the digest of every package that it leads to.",
        "ask whoever made the file which of the two is right, and for a corrected one",
        waivable=False,
    ),
    "file.described": Rule(
        "An SBOM gives digest, name, version and address of the file that it is beside.",
        "ask whoever made the file which of the two is right, and for a corrected SBOM",
        "cpython#142200: an installer's SBOM with another sha256",
    ),
    "file.other_here": Rule(
        "What is published is what was exported on this machine.",
        "see which of the two the release's manifest lists: have that one put back where it "
        "is not, and find out who changed the other",
        "kubernetes/release#1493: late builds replaced released files",
        waivable=False,
    ),
    "signature.missing": Rule(
        "Every source archive has its signature beside it, and no signature lacks its file.",
        "run doit export: it signs what has no signature",
        "cpython#123807, #127601, #132287: signatures absent",
    ),
    "signature.bytes": Rule("Every signature is of the file beside it.", _EXPORT, waivable=False),
    "signature.identity": Rule(
        "Every signature is by the one who may sign it: the version's release manager, or the "
        "expert who made the file.",
        "find out whose key it is; delete it, then run doit export: it signs with [signing] "
        "gpg_key",
        "sigstore-python#600, release-tools#161; PEP 761",
        waivable=False,
    ),
    "signature.expired": Rule(
        "No signature and no key that made one has expired.",
        "extend the key and publish it, or sign again",
    ),
    "signature.revoked": Rule(
        "No key that made a signature is revoked.",
        "sign again with another key, and inform users",
        waivable=False,
    ),
    "signature.unreadable": Rule(
        "Every signature file is one detached OpenPGP signature.",
        "delete it, then run doit export: it signs what has no signature",
        waivable=False,
    ),
    "signature.unseen": Rule(
        "Signatures can be checked.",
        "install GnuPG, and name the public keys: --keys FILE, or [signing] gnupg_home",
    ),
    "bundle.missing": Rule(
        "Every file that the site lists has a Sigstore bundle beside it, and no bundle lacks its "
        "file.",
        "doit publish signs what is not signed yet: doit why sign_bundles",
        "release-tools#22, #158; PEP 761",
    ),
    "bundle.bytes": Rule(
        "Every bundle is of the file beside it.",
        "delete whichever of the two was changed, then run doit publish: it is made again",
        waivable=False,
    ),
    "bundle.identity": Rule(
        "Every bundle is by the release manager's identity, with the issuer that users verify.",
        "delete it, then run doit publish, logged in where the table at "
        "python.org/downloads/metadata/sigstore says",
        "sigstore-python#600, release-tools#161; PEP 761",
        waivable=False,
    ),
    "bundle.untrusted": Rule(
        "What made a bundle is trusted: its certificate, their times and its entry in the public "
        "log are Sigstore's.",
        _SIGN_AGAIN,
        waivable=False,
    ),
    "bundle.unreadable": Rule(
        "Every bundle file is a bundle of a file's signature.", _SIGN_AGAIN, waivable=False
    ),
    "bundle.unseen": Rule(
        "Bundles can be checked.",
        "make sure that this machine reaches Sigstore's roots of trust, and can download the file, "
        "then verify again",
    ),
    "evidence.missing": Rule(
        "The signed statements about who built, tested and approved the release are beside it.",
        "run doit publish; doit why sign_evidence says what it waits for; if it was "
        "published, have it put back",
        "SLSA 1.0, Distributing provenance",
    ),
    "evidence.signature": Rule(
        "Every statement is signed by the release manager's identity, and Sigstore confirms it.",
        _REPLACED,
        waivable=False,
    ),
    "evidence.form": Rule(
        "The evidence holds a provenance of each kind of archive and one statement about all, in "
        "their one spelling, and nothing else.",
        _REPLACED,
        waivable=False,
    ),
    "evidence.subject": Rule(
        "Every file that a statement is about is public, with that digest.",
        _REPLACED,
        waivable=False,
    ),
    "evidence.commit": Rule(
        "Every statement is about the commit that the public tag names.", _REPLACED, waivable=False
    ),
    "evidence.unseen": Rule(
        "The evidence can be checked.",
        "make sure that this machine reaches Sigstore's roots of trust, and can download the file, "
        "then verify again",
    ),
    "checksums.missing": Rule("SHA256SUMS exists.", _EXPORT),
    "checksums.form": Rule(
        "SHA256SUMS has lines of a digest, two spaces and a plain name.", _EXPORT, waivable=False
    ),
    "checksums.differs": Rule(
        "Every digest in SHA256SUMS is that of the file.", _EXPORT, waivable=False
    ),
    "checksums.unlisted": Rule("SHA256SUMS lists every file beside it, and no other.", _EXPORT),
    "sbom.statement": Rule(
        "Every other field of an SBOM is what the tag and the archive make it.",
        _AGAIN,
        waivable=False,
        milder=(Severity.WARN,),
    ),
    "sbom.content": Rule(
        "An SBOM lists every file of its archive with its digest, and no other file.",
        _AGAIN,
        waivable=False,
    ),
    "tag.missing": Rule("Upstream has the tag and the branch of the release.", _EXPORT),
    "tag.light": Rule("The tag is an annotated one.", _TAG_HERE),
    "tag.name": Rule(
        "The tag's object has the name of the release and names a commit.",
        _TAG_HERE,
        waivable=False,
    ),
    "tag.signature": Rule(
        "Up to 3.13 the tag is signed by the version's release manager.", _TAG_HERE, waivable=False
    ),
    "tag.branch": Rule(
        "The tag's commit is on the branch of the release.",
        "have whichever was moved, the tag or the branch, pushed again as it was released",
        "rust#78732: tag from the wrong branch",
        waivable=False,
    ),
    "tag.shadowed": Rule(
        "Upstream has no other ref that can be taken for the release's tag or branch.",
        "find out who pushed it, and have it deleted",
        waivable=False,
    ),
    "tag.version": Rule(
        "Include/patchlevel.h of the tag's commit says this version.", _TAG_HERE, waivable=False
    ),
    "tag.other_here": Rule(
        "Upstream's tag is the one that was made on this machine.",
        "if upstream's is not the tag that was released, have that pushed again; if the one "
        "here is not, delete the release clone",
        waivable=False,
    ),
    "tag.unseen": Rule(
        "Upstream's tag and branch can be read.",
        "check whether [repository] upstream can be reached, then run the same command again",
    ),
    "rebuild.differs": Rule(
        "Made again from the tag in an empty folder, the archives are the published ones, byte "
        "for byte.",
        "if the archive is not what was released, have that put back; if it is, compare the "
        "two with diffoscope: xz, gzip or blurb has another version",
        waivable=False,
    ),
    "rebuild.failed": Rule(
        "The archives can be made again from the tag.",
        "do what its message says, then run the same command again",
    ),
    "row.missing": Rule(
        "The site lists every file that it should.",
        "add its row in the site's admin, as the release's manifest lists it",
    ),
    "row.surplus": Rule(
        "The site lists no file of this release that it should not, and none twice.",
        "delete the row in the site's admin",
    ),
    "row.digest": Rule(
        "Every row gives the sha256 of the file that is served.",
        _WHICH,
        "cpython#80422",
        waivable=False,
    ),
    "row.size": Rule(
        "Every row gives the size of the file that is served.", _WHICH, "cpython#80422"
    ),
    "row.sidecar": Rule("A row leads to the signature and SBOM beside its file.", _ROW),
    "row.button": Rule("For each system, exactly the right file has the download button.", _ROW),
    "row.system": Rule("Every row is listed under the system that its file is for.", _ROW),
    "row.text": Rule("A row has the name, slug and description that belong to its file.", _ROW),
    "row.unseen": Rule(
        "The site's rows can be read.",
        "if the site answers, correct in its admin what the message names; then run the same "
        "command again",
    ),
    "page.lacks": Rule(
        "Every page and listing names this release and all its files.",
        "save the release once more in the site's admin; delete an index page that hides a "
        "folder's list; then purge the page",
        "pythondotorg#1642: release not listed for days",
    ),
    "page.unseen": Rule(
        "Every page answers.",
        "look at it in a browser; once it shows there, run the same command again",
    ),
    "cache.stale": Rule(
        "Every cache serves the files that the host has.",
        "purge the address, then run the same command again",
        "3.5.9 exists because caches served a pre-release 3.5.8",
    ),
    "cache.stale_page": Rule(
        "Every cache serves the pages that the site has.",
        "purge the address, then run the same command again",
        "release-tools#156",
    ),
    "cache.unseen": Rule(
        "Every cache that can be asked alone answers.",
        "check whether it is up; once it is, purge the address and run the same command again",
    ),
    "docs.hosted": Rule(
        "The documentation's pages on the web are those of the archives.",
        "put the page of the archive back on the docs host, then purge it",
        "docsbuild-scripts#300",
    ),
    "docs.current": Rule(
        "Below doc/current is the documentation of the newest final release, byte for byte.",
        "point doc/current on the downloads host to this version, then purge doc/current",
    ),
    "manifest.missing": Rule(
        "A signed manifest lists all that is public of the release.",
        "if it was published, have it put back; if not yet, doit publish makes it; releases made "
        "before November 2026 have none: see what is listed as not known",
        severity=Severity.NOTE,
    ),
    "manifest.removed": Rule(
        "A manifest that was published stays where it is.", _RECORD, waivable=False
    ),
    "manifest.unsigned": Rule(
        "The manifest has the signatures of its series beside it.", _RECORD, waivable=False
    ),
    "manifest.unreadable": Rule(
        "The manifest is valid, canonical and about this release.", _RECORD, waivable=False
    ),
    "manifest.differs": Rule(
        "Everything that the manifest lists is public as it says.", _REPLACED, waivable=False
    ),
    "manifest.unlisted": Rule(
        "No file and no row of the release is public that the manifest does not list.",
        "find out who put it there, and have it removed; do not use it",
        waivable=False,
    ),
    "staged.unseen": Rule(
        "What is staged can be compared with what was exported.",
        "run it where the release was exported, or publish first",
    ),
    "staged.differs": Rule(
        "What is staged is what was exported on this machine.",
        "remove it on the host, then run doit publish again",
        waivable=False,
    ),
    "archive.unreadable": Rule(
        "Both archives can be unpacked to their end.", _AGAIN, waivable=False
    ),
    "archive.differ": Rule("Both archives hold the same stream.", _AGAIN, waivable=False),
    "archive.tree": Rule("Archives hold the tag's tree and nothing else.", _AGAIN, waivable=False),
    "archive.stream": Rule(
        "Archives are the tag's tar stream to the last bit: headers, padding and Misc/NEWS too.",
        _AGAIN,
        milder=(Severity.WARN,),
        waivable=False,
    ),
    "archive.compressor": Rule(
        "gzip and xz wrote nothing around the stream but what `gzip -9 -n` and `xz -6` write.",
        _AGAIN,
        milder=(Severity.WARN,),
        waivable=False,
    ),
    "clone.objects": Rule(
        "Every object of a clone that a release is made of holds what its name says.",
        "delete the release clone, and put a fresh clone of upstream in the place of your own",
        waivable=False,
    ),
    "archive.previous": Rule(
        "What the previous release contained is in this one too, folder by folder.",
        "see whether it was meant to go; if so, waive archive.previous for this release",
        "an unfinished tree was tagged more than once",
    ),
    "archive.root": Rule("Everything in an archive is in its one folder.", _AGAIN, waivable=False),
    "archive.type": Rule("Archives hold files, folders and links.", _AGAIN, waivable=False),
    "archive.pyc": Rule("Archives hold nothing compiled.", _AGAIN),
    "archive.owner": Rule("Everything in an archive belongs to root.", _AGAIN),
    "archive.mode": Rule("Modes in archives are 0644 and 0755.", _AGAIN, "cpython#73760"),
    "archive.time": Rule("Everything in an archive has the time of the tag.", _AGAIN),
    "archive.name": Rule(
        "Every name is possible on every system, and occurs once.", _AGAIN, waivable=False
    ),
    "archive.link": Rule("No link leads out of the archive.", _AGAIN, waivable=False),
    "docs.missing": Rule("Every documentation archive exists.", _EXPORT, "cpython#105450"),
    "docs.unreadable": Rule("Every documentation archive can be read and holds pages.", _AGAIN),
    "docs.different": Rule("Both archives of a format hold the same.", _AGAIN),
    "docs.unreleased": Rule("No page calls anything unreleased.", _AGAIN),
    "docs.link": Rule("Links between pages of the HTML archive lead somewhere.", _AGAIN),
    "sbom.unreadable": Rule("Every archive has an SBOM that can be read.", _AGAIN),
    "sbom.archive": Rule("An SBOM has the digest of its archive.", _AGAIN, waivable=False),
    "sbom.lacks": Rule(
        "An SBOM lists all that upstream's lists: what CPython bundles, pip and "
        "what it bundles, dependencies and suppliers.",
        _AGAIN,
    ),
    "sbom.missing_file": Rule(
        "What the tree's own SBOM lists is in the archives.", "make regen-sbom on the branch"
    ),
    "sbom.changed_file": Rule(
        "What the tree's own SBOM lists is as it says.", "make regen-sbom on the branch"
    ),
    "site.flags": Rule(
        "The release is public on the site with the flags of its type.",
        "correct the flags in the site's admin",
        "pythondotorg#2161",
    ),
    "site.latest": Rule(
        "The newest final release of Python 3 is the latest, and no other.",
        "correct the flag in the site's admin",
    ),
    "archived.unreadable": Rule(
        "The closing archive is byte for byte as this tool writes it.",
        "take another copy of it; this one was changed or cut",
        waivable=False,
    ),
    "archived.signature": Rule(
        "The closing archive has good signatures of its release manager beside it.",
        "take the archive and its signatures from where they were first kept",
        "PEP 761",
        waivable=False,
    ),
    "archived.receipt": Rule(
        "Each archived receipt has its seal, is of this release, and was made from what the others "
        "say.",
        "take another copy of it; if that says the same, ask the release manager for one that"
        " is right, and believe neither until then",
    ),
    "archived.approval": Rule(
        "Each archived approval is signed by a key of who may give it, over what was released.",
        "take another copy of it; if that says the same, ask who gave it: an approval of "
        "other bytes does not count",
    ),
    "archived.missing": Rule(
        "Nothing that an archived receipt speaks of is missing in the archive.",
        "take another copy of it; if that lacks it too, ask the release manager for one that "
        "has it",
    ),
    "archived.published": Rule("What is public has the digests that the archive has.", _REPLACED),
    "archived.unseen": Rule(
        "What is public can be looked at.",
        "check whether python.org and upstream can be reached, then run the same command again",
    ),
}
"""Every rule by its id."""
