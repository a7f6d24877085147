"""Bundles of Sigstore: passes, blocks, and what cannot be looked at."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from checks.access import sigstore_is_ready
from checks.bundles import bundles_are_good
from doit_receipts.errors import ServiceFailed
from doit_receipts.finding import Severity
from plugins.model.content import Content, NamedFile
from plugins.model.found_files import FoundFiles
from plugins.model.promise import contract_of
from plugins.model.published_file import Kind
from plugins.model.series import SigstoreIdentity
from plugins.ports.signing import Signature, Verdict

if TYPE_CHECKING:
    from plugins.model.contract import Contract
    from tests.conftest import Builds

RM = SigstoreIdentity("rm@python.org", "https://github.com/login/oauth")


@dataclass
class Answering:
    """A verifier that says of every bundle the same; of what it was asked, all is kept."""

    answer: Signature | ServiceFailed
    asked: list[tuple[str, str, SigstoreIdentity]] = field(default_factory=list)

    def ready(self) -> None:
        if isinstance(self.answer, ServiceFailed):
            raise self.answer

    def verify_bundle(self, bundle: Path, sha256: str, by: SigstoreIdentity) -> Signature:
        self.asked.append((bundle.name, sha256, by))
        if isinstance(self.answer, ServiceFailed):
            raise self.answer
        return self.answer


def shelf_of(contract: Contract, builds: Builds) -> FoundFiles:
    """Every file stands there, each with a digest of its own."""
    files = {
        file.remote: NamedFile(
            file.remote, Content(10, f"{number:064x}"), Path("/room") / file.name
        )
        for number, file in enumerate(contract.files)
    }
    return FoundFiles("here", builds("3.14.1").layout, files, {})


GOOD = Answering(Signature(str(RM), ""))
NO_ANSWER = ServiceFailed(service="sigstore(public)", action="fetch whom to trust", problem="down")


def test_each_bundle_is_judged_for_the_digest_of_its_own_file(a_release: Builds) -> None:
    contract = contract_of(a_release("3.14.1"))
    shelf = shelf_of(contract, a_release)
    verifier = Answering(Signature(str(RM), ""))
    assert bundles_are_good(contract, shelf, RM, verifier) == ()
    wanted = [
        (file.name, shelf.files[file.beside].content.sha256, RM)
        for file in contract.files
        if file.kind is Kind.BUNDLE
    ]
    assert verifier.asked == wanted
    assert len(wanted) == len(contract.listed) > 10


@pytest.mark.parametrize(
    ("verdict", "rule"),
    [
        (Verdict.OTHER_BYTES, "bundle.bytes"),
        (Verdict.OTHER_KEY, "bundle.identity"),
        (Verdict.UNKNOWN_KEY, "bundle.untrusted"),
        (Verdict.UNREADABLE, "bundle.unreadable"),
        (Verdict.MISSING, "bundle.missing"),
    ],
)
def test_what_is_wrong_with_a_bundle_is_told_by_its_rule(
    a_release: Builds, verdict: Verdict, rule: str
) -> None:
    contract = contract_of(a_release("3.14.1"))
    verifier = Answering(Signature("somebody", "is not good", verdict))
    found = bundles_are_good(contract, shelf_of(contract, a_release), RM, verifier)
    assert {each.rule for each in found} == {rule}
    assert all(each.severity is Severity.BLOCK for each in found)
    assert len(found) == len(contract.listed)


def test_a_bundle_that_is_missing_and_one_without_its_file_block(a_release: Builds) -> None:
    contract = contract_of(a_release("3.14.1"))
    gone = ("3.14.1/Python-3.14.1.tgz.sigstore", "3.14.1/Python-3.14.1.tar.xz")
    shelf = shelf_of(contract, a_release)
    there = {remote: each for remote, each in shelf.files.items() if remote not in gone}
    shelf = replace(shelf, files=there)
    found = bundles_are_good(contract, shelf, RM, GOOD)
    assert [(each.rule, each.where) for each in found] == [
        ("bundle.missing", "3.14.1/Python-3.14.1.tgz"),
        ("bundle.missing", "3.14.1/Python-3.14.1.tar.xz.sigstore"),
    ]


def test_bundles_that_cannot_be_looked_at_block(a_release: Builds) -> None:
    contract = contract_of(a_release("3.14.1"))
    found = bundles_are_good(contract, shelf_of(contract, a_release), RM, Answering(NO_ANSWER))
    assert {each.rule for each in found} == {"bundle.unseen"}
    assert all(each.severity is Severity.BLOCK for each in found)


def test_a_morning_without_a_place_for_the_token_blocks_and_says_what_to_write() -> None:
    assert sigstore_is_ready(GOOD, declared=True) == ()
    (found,) = sigstore_is_ready(GOOD, declared=False)
    assert found.severity is Severity.BLOCK
    assert found.where == "[credentials] sigstore"
    assert 'sigstore = "file:' in found.remedy


def test_a_morning_on_which_nobody_knows_whom_to_trust_blocks() -> None:
    (found,) = sigstore_is_ready(Answering(NO_ANSWER), declared=True)
    assert (found.rule, found.severity) == ("access.sigstore", Severity.BLOCK)


def test_missing_token_is_reported_also_while_sigstore_does_not_answer() -> None:
    found = sigstore_is_ready(Answering(NO_ANSWER), declared=False)
    assert [each.where for each in found][1:] == ["[credentials] sigstore"]
    assert len(found) == 2
