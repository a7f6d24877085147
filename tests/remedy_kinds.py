"""Remedy kinds: what the errors ask of a person, each by its first act, and the test that does it.

Each remedy of an error is of the first kind here whose words it has. A remedy that asks for
something new is of no kind, and so wants a test of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

__all__ = ["KINDS", "NOBODY", "Kind", "kind_of"]

NOBODY: Final = ""
"""In place of a test, where a person can only report something."""

_MORNING: Final = "tests/checks/test_remedies_of_morning.py"
_SOURCE: Final = "tests/checks/test_remedies_of_source.py"
_TEXTS: Final = "tests/checks/test_remedies_of_texts.py"
_UPLOADS: Final = "tests/steps/test_remedies_of_uploads.py"
_ACTS: Final = "tests/steps/test_remedies_of_acts.py"
_ACTING: Final = "tests/engine/test_acting.py"
_MERGE: Final = "tests/steps/test_merge_back.py"
_STAGING: Final = "tests/steps/test_staging.py"


@dataclass(frozen=True)
class Kind:
    """One thing that a person may be asked to do."""

    act: str
    words: str
    """A pattern of what its remedies say."""
    test: str


KINDS: Final = (
    Kind(
        "say that it was done, or have it done again",
        r"doit adopt|if it was (not )?done: |\badopt\b.*\bretry\b|if what users see is right",
        f"{_ACTING}::test_something_else_there_is_adopted_where_the_step_says_that_it_may_be",
    ),
    Kind(
        "have a task forgotten, and done anew",
        r"doit forget",
        f"{_UPLOADS}::test_what_an_expert_brings_anew_is_seen_once_"
        "the_task_that_awaited_it_is_forgotten",
    ),
    Kind(
        "free space",
        r"make room|see to the disk|free space|inodes",
        "tests/publish/test_killed_here.py::"
        "test_a_disk_that_is_full_from_any_write_on_is_one_clear_line",
    ),
    Kind(
        "give a file or folder the mode that is told",
        r"chmod|mode 0?600|give yourself|give your account",
        "tests/model/test_secret.py::test_file_that_others_may_read_is_refused",
    ),
    Kind(
        "give the release a folder of its own",
        r"work folder of its own|\[work\] folder of its own|another \[work\] folder"
        r"|name another work folder",
        "tests/engine/test_foreign_receipts.py::test_a_receipt_of_another_project_is_refused",
    ),
    Kind(
        "install a program",
        r"\binstall\b|pip install|use the blurb that",
        "tests/services/test_programs.py::test_program_that_is_missing_runs_once_it_is_installed",
    ),
    Kind(
        "have the experts bring it again, or sign for it",
        r"ask (the|an) expert|ask them\b|they upload|they go to|their upload|ask . for the file"
        r"|nothing of it was published",
        f"{_UPLOADS}::test_what_an_expert_brings_anew_is_seen_once_"
        "the_task_that_awaited_it_is_forgotten",
    ),
    Kind(
        "ask for a right, or whoever administers the place",
        r"administrator|ask its owner|only (the|its) owner|ask … to |have its login scripts",
        f"{_MORNING}::test_what_is_asked_of_the_administrators_of_a_host_helps",
    ),
    Kind(
        "have jobs of CI run again, or a run cancelled",
        r"its (failed )?jobs again|the failed jobs again|run the build again|cancel all but one"
        r"|job's log|open the run|look at the run|wait_hours",
        "tests/steps/test_ci.py::"
        "test_file_that_ci_did_not_make_is_fetched_once_its_job_was_run_again",
    ),
    Kind(
        "start or choose the run of the Windows pipeline",
        r"\[windows\] build|name another run|with the values in|Retain|approve it at"
        r"|the run cannot be restored|who runs the (Windows )?pipeline|look at …; or raise",
        "tests/steps/test_windows_build.py::"
        "test_two_runs_are_never_guessed_between_and_the_declared_one_counts",
    ),
    Kind(
        "set right what GitHub protects",
        r"GitHub's settings|branch's protection|protect it|doit copy_protection",
        f"{_MERGE}::test_rules_that_were_changed_while_they_were_lifted_are_corrected_as_told",
    ),
    Kind(
        "have the schedule of the PEPs corrected or a pull request merged",
        r"merge it;|have it merged|open it again|reopen it|by a pull request|another pull request"
        r"|another one with the same|editors? of the PEPs|PEPs' repository|release PEP first"
        r"|record (it|the release)|change it there|correct it there|see who changed it and why"
        r"|complete it there|add it there|have it corrected there",
        "tests/steps/test_schedule.py::"
        "test_schedule_that_is_not_understood_is_one_line_and_its_remedy_works",
    ),
    Kind(
        "correct it on the branch that is released from",
        r"on the branch\b|restore it on|out of the branch|have the branch|from a commit that can"
        r"|before the documentation is built|branch lost it|upstream's branch|on PATH is"
        r"|it has to begin with|extension of the tree|pydoc_topics",
        f"{_SOURCE}::test_what_is_to_be_changed_on_the_branch_helps_there",
    ),
    Kind(
        "correct it in the site's admin",
        r"the site's admin|in the admin|into Content|in a browser",
        "tests/steps/test_site_rows.py::test_a_row_is_corrected_as_its_finding_says",
    ),
    Kind(
        "see to a tag or branch that is not this release's",
        r"a tag that others have seen|this version is taken|never pushed|nobody built from it"
        r"|nobody builds from it|deleted or moved|who pushed them|tag to that repository"
        r"|never set back|who set the branch back|see what was pushed",
        "tests/steps/test_fork.py::test_other_tag_on_the_fork_is_shown_with_both_sides",
    ),
    Kind(
        "see to a label",
        r"\blabel(led)?\b",
        "tests/steps/test_phase_labels.py::test_two_labels_of_an_ended_series_are_left_to_a_person",
    ),
    Kind(
        "tell a key, or unlock it",
        r"gpg_key|gpg --|gpgconf|unlock the key|the secret key|fingerprint of th|keyring"
        r"|GPG_TTY|extend it|agent and the card|screen|key of its owner",
        f"{_MORNING}::test_secret_half_is_imported_and_a_revoked_key_replaced",
    ),
    Kind(
        "have the host known to ssh",
        r"known.hosts|ssh-agent|ssh-add|ssh_config|ssh configuration|`ssh` can",
        "tests/services/test_known_hosts.py::"
        "test_each_of_several_keys_is_known_and_another_is_told",
    ),
    Kind(
        "keep a credential where the setting says",
        r"env:NAME|file:PATH|the secret there|file of your own|in the environment of this"
        r"|check \[credentials\]",
        "tests/model/test_secret.py::test_text_that_is_no_place_is_refused_and_never_repeated",
    ),
    Kind(
        "write a version that there is",
        r"^write X\.Y\.Z|lead to …|rcs start at|first alpha is|releases 3\.8 and later"
        r"|version in release\.toml|^write …$|write …, or leave it out",
        f"{_SOURCE}::test_version_that_does_not_come_next_is_written_as_told",
    ),
    Kind(
        "write a setting of release.toml as it is told",
        r"release\.toml|\[\w+\] \w+|\[\w+\]$|^set |^write (?!on the)|name another than"
        r"|name another file|similar names|cherry_picks|it in lower-case|name one in"
        r"|the formats are|take your login|the right address|author to your name"
        r"|check that clone|and user\.email|safe\.directory|name it in",
        f"{_SOURCE}::test_folder_of_the_clone_is_corrected_by_the_setting_that_is_named",
    ),
    Kind(
        "edit a text, and approve it again",
        r"under texts/|correct the text|save it as UTF-8|shorten the title|doit settle_"
        r"|what it refuses",
        f"{_TEXTS}::test_announcement_is_edited_where_its_finding_says",
    ),
    Kind(
        "say whether an email arrived",
        r"email arrived|received the email|say so",
        f"{_ACTING}::test_a_mail_that_a_person_missed_is_sent_again",
    ),
    Kind(
        "find out who changed what is published or judged, and put it back",
        r"find out (who|where|which|what|why)|ask who|do not announce|do not publish|do not sign"
        r"|never replaced|remove what does not belong|compare both archives"
        r"|put the repository's own",
        f"{_STAGING}::test_a_staged_file_that_was_replaced_stops_the_switch",
    ),
    Kind(
        "take away a file or folder that is in the way on the host",
        r"on the host|rename or remove it there|stage them|point the link",
        "tests/services/test_hosts.py::test_a_name_that_no_program_should_get_is_renamed_as_told",
    ),
    Kind(
        "delete what this tool makes again, or move it away",
        r"^delete |move it away|delete the file|made again|rename it|it is made anew"
        r"|remove the folder|then rehearse again|start the rehearsal again|name another --folder"
        r"|do not unpack it|restore receipts|archives again",
        f"{_SOURCE}::test_clone_that_lacks_what_a_step_left_is_made_again",
    ),
    Kind(
        "give the clone what it lacks",
        r"fetches it|fetch upstream|fetch it there|fresh clone|merge it by hand|merge again"
        r"|merge … into",
        f"{_SOURCE}::test_base_that_is_old_is_fetched_by_what_is_told",
    ),
    Kind(
        "have the network or the service answer, or the address right",
        r"can reach|address and the network|check the network|the index in a browser"
        r"|address, and what it answers|create it, or correct|right address",
        "tests/verify/test_archived.py::"
        "test_an_upstream_that_cannot_be_reached_is_looked_at_once_it_can",
    ),
    Kind(
        "use the tool's same version, or the newer one",
        r"same pep101 commit|commit of pep101|newer version",
        f"{_ACTS}::test_action_of_another_version_of_the_tool_is_taken_from_the_same_one",
    ),
    Kind(
        "end or wait for whatever is at work",
        r"wait for it to end|end it: |no other run|watch …|nothing has to be done",
        "tests/engine/test_lock.py::test_a_second_holder_is_refused_and_told_who_has_it",
    ),
    Kind(
        "type another word",
        r"--help says|name yours:|--repository ADDRESS|name another: doit init|similar names",
        "tests/command/test_init.py::test_nothing_that_exists_is_changed",
    ),
    Kind(
        "report a fault of this tool or of another one, which no test can mend",
        r"report (it|this|the difference|a bug)|please report",
        NOBODY,
    ),
    Kind(
        "have the task before it run",
        r"run doit |which task makes it|doit list --status|^run …$|ask for build_|run the task"
        r"|have the task",
        "tests/steps/test_docs_hosting.py::"
        "test_current_is_not_moved_to_archives_that_are_not_there",
    ),
    Kind(
        "see what is shown, then run the same command again",
        r"^look|^see |memory ran out|mend the program|same command|by hand$",
        f"{_MERGE}::test_line_cut_after_the_push_is_found_done_by_the_next_look",
    ),
)


def kind_of(remedy: str) -> Kind | None:
    """The kind of a remedy; None if it asks for something that no other asks for."""
    return next((each for each in KINDS if re.search(each.words, remedy)), None)
