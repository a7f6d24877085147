"""Archives made again at the simulated GitHub: what counts, each fault, and each alteration."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import pytest

from checks import machines
from checks.rebuilds import Others, others_got_the_same, others_of_a_stranger
from doit_receipts.artifact import Artifact
from doit_receipts.errors import ReleaseError, StepFailed, Waiting
from doit_receipts.finding import Severity
from doit_receipts.probe import RemoteState
from plugins.model.action import NOBODY, TIER_1, bundle_file
from plugins.model.attested import attested
from plugins.model.farm_settings import Then
from plugins.model.rebuild_settings import Rebuilds
from plugins.model.strict_json import BrokenJson
from plugins.services.gnupg_signer import GnupgKeyring
from plugins.steps import elsewhere, rebuild_elsewhere
from tests.steps.test_elsewhere import REFUSED, Asking, asking, lasting
from tests.steps.test_elsewhere_altered import WRONG, a_github, altered, paths_of, recorded

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from doit_receipts.finding import Finding

__all__ = ["asking", "lasting"]

RM: Final = "F" * 40
NOTE, WARN, BLOCK = Severity.NOTE, Severity.WARN, Severity.BLOCK


@dataclass
class Remaking(Asking):
    """A release manager whose archives are made again at GitHub."""

    def follow(self, here: str = "") -> dict[str, str]:
        assert not here
        return rebuild_elsewhere.wait(self.errand, self.clock, self.journal, self.progress)

    def counted(self, wanted: int = 0, *, same: bool = True) -> list[tuple[str, Severity, str]]:
        """What the gate says, where what the run made is what we have, or is not."""
        archives = []
        for path in self.release.layout.tarballs:
            # What a simulated run makes that only says that it works.
            content = f"not really {path.name}\n".encode() * (1 if same else 2)
            archives.append(Artifact(path, len(content), sha256(content).hexdigest()))
        errand = self.errand
        there = machines.remade(self.release.layout, self.farm, self.actions, errand.sigstore)
        keyring = GnupgKeyring(self.release.layout.work)
        found: tuple[Finding, ...] = others_got_the_same(
            self.release, Rebuilds(wanted=wanted), archives, RM, keyring, there
        )
        return [(each.rule, each.severity, each.message) for each in found]


@pytest.fixture
def remaking(asking: Asking) -> Remaking:
    """The action of this test alone, as ``asking`` has it."""
    actions = rebuild_elsewhere.actions(asking.release, commit=asking.actions[0].commit)
    farm = replace(asking.farm, steps=("build_tarballs",))
    return Remaking(**{**vars(asking), "actions": actions, "farm": farm})


def test_a_run_that_got_the_same_counts_as_one_and_says_by_whose_word(remaking: Remaking) -> None:
    assert elsewhere.look_asked(remaking.errand, remaking.clock).state is RemoteState.ABSENT
    remaking.start()
    assert elsewhere.look_asked(remaking.errand, remaking.clock).state is RemoteState.IDENTICAL
    (action,) = remaking.actions
    assert remaking.to_the_end() == {"build_tarballs": action.digest}
    word = "GitHub made the same archives from the tag, by the attestation of python/release-tools"
    assert remaking.counted() == [("rebuild.agrees", NOTE, word)]
    assert remaking.counted(wanted=1) == [("rebuild.agrees", NOTE, word)]
    _, (rule, severity, message) = remaking.counted(wanted=2)
    assert (rule, severity) == ("rebuild.few", BLOCK)
    assert message == "only GitHub has made the same archives from the tag; wanted 2"
    # Nothing but the word was brought here, and it names every archive by its digest.
    room = bundle_file(remaking.release.layout, action).parent
    assert [path.name for path in room.iterdir()] == ["attestation.json"]
    (told,) = [each for each in remaking.journal.entries() if each["event"] == "elsewhere"]
    assert told["task"] == "await_rebuild"
    assert told["run"].endswith(f"/actions/runs/{remaking.runs[-1]['id']}")


def test_page_that_waits_for_the_run_says_so_and_how_it_does_not(remaking: Remaking) -> None:
    """However many are wanted: bytes that differ have to be known before users see the page."""
    remaking.store.order_fault("steps.queued", argument="2")
    remaking.start()
    with pytest.raises(Waiting, match="not made again yet, and the page waits for that") as told:
        remaking.follow()
    assert "take build_tarballs out of [farm] steps" in told.value.remedy
    assert remaking.farm.runs("build_tarballs")
    assert not replace(remaking.farm, steps=("test_source",)).runs("build_tarballs")


def test_a_run_that_got_other_archives_blocks_and_names_both_digests(remaking: Remaking) -> None:
    remaking.start()
    remaking.to_the_end()
    (disagrees, few) = remaking.counted(same=False)
    assert disagrees[:2] == ("rebuild.disagrees", BLOCK)
    made = sha256(b"not really Python-3.13.6.tgz\n").hexdigest()[:16]
    assert f"Python-3.13.6.tgz: they got {made}, wanted " in disagrees[2]
    assert few[0] == "rebuild.few"


def test_all_runs_at_github_are_one_witness(remaking: Remaking) -> None:
    remaking.start()
    remaking.to_the_end()
    remaking.actions *= 3
    agrees, few = remaking.counted(wanted=2)
    assert (agrees[0], few[0]) == ("rebuild.agrees", "rebuild.few")


def test_a_second_release_manager_adopts_the_run(remaking: Remaking, tmp_path: Path) -> None:
    remaking.start()
    first, runs = remaking.to_the_end(), len(remaking.runs)
    layout = replace(remaking.release.layout, work=tmp_path / "another")
    other = replace(remaking, release=replace(remaking.release, layout=layout))
    assert elsewhere.look_asked(other.errand, other.clock).state is RemoteState.IDENTICAL
    other.start()
    assert (other.follow(), len(other.runs)) == (first, runs)
    assert other.counted() == remaking.counted()


def test_a_kept_attestation_that_was_changed_counts_for_nothing(remaking: Remaking) -> None:
    remaking.start()
    came = remaking.to_the_end()
    good = remaking.counted()
    file = bundle_file(remaking.release.layout, remaking.actions[0])
    file.write_bytes(file.read_bytes().replace(b'"', b"'", 1))
    unsigned, few = remaking.counted(wanted=1)
    assert (unsigned[:2], few[0]) == (("rebuild.unsigned", WARN), "rebuild.few")
    assert remaking.follow() == came  # its remedy
    assert remaking.counted() == good


def test_where_nobody_answers_in_time_this_machine_is_no_witness(remaking: Remaking) -> None:
    remaking.farm = replace(remaking.farm, then=Then.HERE, wait_hours=1)
    remaking.store.order_fault("steps.queued", argument="2")
    remaking.start()
    assert remaking.follow() == {"build_tarballs": NOBODY}
    assert [each[:2] for each in remaking.counted(wanted=1)] == [
        ("rebuild.unsigned", WARN), ("rebuild.few", BLOCK),
    ]  # fmt: skip


def test_expired_files_are_not_missed(remaking: Remaking) -> None:
    remaking.store.order_fault("steps.expired")
    remaking.start()
    remaking.to_the_end()
    assert remaking.counted(wanted=1)[0][0] == "rebuild.agrees"


@pytest.mark.parametrize(("fault", "argument", "message"), REFUSED)
def test_what_does_not_count_stops_with_what_is_missing_and_the_remedy_works(
    remaking: Remaking, fault: str, argument: str, message: str,
    observed: Callable[[str, str], None],
) -> None:  # fmt: skip
    remaking.store.order_fault(fault, argument=argument)
    remaking.start()
    with pytest.raises(StepFailed) as caught:
        remaking.to_the_end()
    said = str(caught.value)
    observed(f"{fault} of a rebuild", said)
    assert message in said
    assert said.startswith("rebuild elsewhere: ")
    assert "start_tests" not in said
    assert not bundle_file(remaking.release.layout, remaking.actions[0]).exists()
    remaking.follow_the_remedy(said)
    remaking.to_the_end()
    assert remaking.counted(wanted=1)[0][0] == "rebuild.agrees"


def test_a_stranger_is_told_who_else_made_them_without_any_receipt(
    remaking: Remaking, tmp_path: Path
) -> None:
    (action,) = remaking.actions
    layout = replace(remaking.release.layout, work=tmp_path / "stranger")
    release = replace(remaking.release, layout=layout)
    for path in layout.tarballs:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(f"not really {path.name}\n".encode())

    def told(asked: Remaking, wanted: int = 1) -> list[tuple[str, Severity]]:
        errand = asked.errand
        others = Others(Rebuilds(wanted=wanted), asked.farm, errand.machines, RM)
        keyring = GnupgKeyring(tmp_path)
        found = others_of_a_stranger(release, others, action.commit, keyring, errand.sigstore)
        assert not [each for each in found if "\n" in each.message]
        return [(each.rule, each.severity) for each in found]

    assert told(remaking, 0) == [("rebuild.few", NOTE)]
    assert told(remaking) == [("rebuild.few", BLOCK)]
    remaking.start()
    remaking.to_the_end()
    assert told(remaking) == [("rebuild.agrees", NOTE)]
    # Nobody answers: what cannot be asked counts for nothing.
    gone = replace(remaking, github="http://127.0.0.1:9")
    assert told(gone) == [("rebuild.unsigned", WARN), ("rebuild.few", BLOCK)]
    layout.tarballs[0].write_bytes(b"other")
    assert told(remaking) == [("rebuild.disagrees", BLOCK), ("rebuild.few", BLOCK)]


@pytest.mark.slow
def test_each_field_of_what_github_answers_is_refused_or_changes_nothing(
    remaking: Remaking, count: Callable[[str, int], None]
) -> None:
    remaking.start()
    came, good = remaking.to_the_end(), remaking.counted()
    answers = recorded(remaking)
    bundle = bundle_file(remaking.release.layout, remaking.actions[0])
    whole = json.loads(answers["attestations"])
    refused = harmless = 0
    for path in paths_of(whole):
        for how in WRONG:
            made = altered(whole, path, how)
            if made == whole:
                continue
            bundle.unlink(missing_ok=True)
            said, found = "", {}
            with a_github({**answers, "attestations": json.dumps(made).encode()}) as base:
                try:
                    found = replace(remaking, github=base).follow()
                except ReleaseError as error:
                    said = str(error)
            assert "\n" not in said
            refused, harmless = refused + bool(said), harmless + (not said)
            if said:
                assert not bundle.exists()
            else:
                assert (found, remaking.counted()) == (came, good)
    assert refused > 100
    count("alterations of GitHub's answer about a rebuild refused", refused)
    count("alterations of GitHub's answer about a rebuild that change nothing", harmless)


def test_each_wrong_field_of_a_statement_is_refused(
    remaking: Remaking, count: Callable[[str, int], None]
) -> None:
    remaking.start()
    remaking.to_the_end()
    (action,) = remaking.actions
    kept = json.loads(bundle_file(remaking.release.layout, action).read_bytes())
    statement = json.loads(base64.b64decode(kept["dsseEnvelope"]["payload"]))
    attested(json.dumps(statement).encode(), action)
    refused = 0
    for path in paths_of(statement):
        for how in WRONG:
            made = altered(statement, path, how)
            if made != statement:
                with pytest.raises(BrokenJson) as caught:
                    attested(json.dumps(made).encode(), action)
                assert "\n" not in str(caught.value)
                refused += 1
    assert refused > 150
    count("wrong fields of a statement about a rebuild refused", refused)


def test_it_is_asked_for_on_one_platform_and_names_no_digest(remaking: Remaking) -> None:
    (action,) = remaking.actions
    assert (action.platform, action.inputs) == (TIER_1[0], {})
    assert action.params == {"kind": "bugfix_final"}
