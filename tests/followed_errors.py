"""Followed errors: for each error that stops an act outside, the test that does what it says.

Of the modules in `CONSEQUENTIAL` every error is listed, in the order of the source, and one whose
own remedy no test follows is ``NOBODY``: there the kind of it is followed (tests/remedy_kinds.py),
as it is of all other errors. Of these, the ones that have tests of their own may be listed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CONSEQUENTIAL", "FOLLOWED_ERRORS", "HANDED_ON", "LEAST_FOLLOWED", "NOBODY"]

NOBODY: Final = ""
"""In place of a test: what this very error tells a person to do is tried for its kind alone."""

CONSEQUENTIAL: Final = (
    "doit_receipts/acting.py",
    "doit_receipts/lock.py",
    "doit_receipts/receipts.py",
    "plugins/model/secret.py",
    "plugins/services/git_remote.py",
    "plugins/services/known_hosts.py",
    "plugins/steps/afterwards.py",
    "plugins/steps/branch_end.py",
    "plugins/steps/docs_hosting.py",
    "plugins/steps/emails.py",
    "plugins/steps/ended_places.py",
    "plugins/steps/fork.py",
    "plugins/steps/forum_post.py",
    "plugins/steps/merge_back.py",
    "plugins/steps/protection.py",
    "plugins/steps/published_tag.py",
    "plugins/steps/pull_requests.py",
    "plugins/steps/purging.py",
    "plugins/steps/site_files.py",
    "plugins/steps/site_release.py",
    "plugins/steps/staging.py",
    "plugins/steps/staging_folders.py",
    "plugins/steps/tag.py",
    "plugins/steps/tracker_end.py",
    "plugins/steps/upstream_push.py",
)
"""Modules of acts that users see, pushes, protection, the lock and credentials."""

LEAST_FOLLOWED: Final = 101
"""How many errors are followed at least; it only grows."""

HANDED_ON: Final = frozenset({
    "doit_receipts/acting.py::_heed",
    "doit_receipts/acting.py::decide",
    "doit_receipts/approvals.py::facts_of",
    "doit_receipts/approvals.py::judge_again",
    "plugins/model/declared.py::Mistakes.error",
    "plugins/model/train.py::Member.named",
    "plugins/services/gnupg_signer.py::GnupgSigner.__init__",
    "plugins/services/http_errors.py::HttpErrors.refused",
    "plugins/services/http_errors.py::nothing_done",
    "plugins/services/notifier.py::Notifier._post",
    "plugins/services/programs.py::MachinePrograms.confined",
    "plugins/steps/branch_opened.py::look_builders",
    "plugins/steps/build_defaults.py::look_proposed_defaults",
    "plugins/steps/docs_lock.py::_resolved",
    "plugins/steps/docs_tools.py::make_environment",
    "plugins/steps/ended_places.py::look_forgotten",
    "plugins/steps/host_modes.py::WrongModes.probe",
    "plugins/steps/phase_schedule.py::look_entered",
    "plugins/steps/schedule.py::look_proposed",
    "plugins/steps/schedule.py::_look_at_branch",
    "plugins/steps/staging.py::_switchable",
    "plugins/steps/tag.py::make",
})  # fmt: skip
"""Where an error says what another one says, which is listed where it begins."""

_ACTS: Final = "tests/steps/test_remedies_of_acts.py"
_ACTING: Final = "tests/engine/test_acting.py"
_LOCK: Final = "tests/engine/test_lock.py"
_FOREIGN: Final = "tests/engine/test_foreign_receipts.py"
_SECRET: Final = "tests/model/test_secret.py"
_HOSTS: Final = "tests/services/test_known_hosts.py"
_KEYS: Final = "tests/services/test_gnupg_signer.py"
_CLOSED: Final = "tests/steps/test_closed_folder.py"
_BRANCH: Final = "tests/steps/test_branch_end.py"
_DOCS: Final = "tests/steps/test_docs_hosting.py"
_ENDED: Final = "tests/steps/test_ended_places.py"
_MISSING: Final = "tests/engine/test_missing_products.py"
_BLOG: Final = "tests/steps/test_blog_site.py"
_FORK: Final = "tests/steps/test_fork.py"
_LABELS: Final = "tests/steps/test_phase_labels.py"
_MERGE: Final = "tests/steps/test_merge_back.py"
_PURGING: Final = "tests/steps/test_purging.py"
_RESTRICTING: Final = "tests/steps/test_restricting.py"
_ROWS: Final = "tests/steps/test_site_rows.py"
_SITE: Final = "tests/steps/test_site_steps.py"
_STAGING: Final = "tests/steps/test_staging.py"
_TAG: Final = "tests/steps/test_tag.py"

FOLLOWED_ERRORS: Final[Mapping[str, tuple[str, ...]]] = {
    "doit_receipts/acting.py::wait_for_the_hour": (
        f"{_ACTING}::test_nothing_is_looked_at_or_done_outside_before_the_hour",
    ),
    "doit_receipts/acting.py::_ask_a_person": (
        f"{_ACTING}::test_a_mail_that_a_person_missed_is_sent_again",
    ),
    "doit_receipts/acting.py::decide": (
        f"{_ACTING}::test_what_a_person_has_to_do_is_waited_for_and_not_begun",
    ),
    "doit_receipts/acting.py::_heed": (
        f"{_ACTING}::test_what_was_accepted_and_is_not_let_through_is_waited_for",
        f"{_ACTING}::test_word_that_it_was_done_is_not_answered_by_doing_it",
    ),
    "doit_receipts/acting.py::_stopped": (
        f"{_ACTING}::test_something_else_there_is_adopted_where_the_step_says_that_it_may_be",
    ),
    "doit_receipts/lock.py::_opened": (
        f"{_LOCK}::test_a_folder_that_cannot_be_is_replaced_by_another_one",
    ),
    "doit_receipts/lock.py::_take": (
        f"{_LOCK}::test_a_second_holder_is_refused_and_told_who_has_it",
        NOBODY,
    ),
    "doit_receipts/lock.py::_judge_left": (
        f"{_LOCK}::test_a_lock_of_another_machine_is_not_guessed_away",
    ),
    "doit_receipts/receipts.py::Receipts._refuse_foreign": (
        f"{_FOREIGN}::test_a_receipt_of_a_rehearsal_is_refused",
        f"{_FOREIGN}::test_a_receipt_of_another_project_is_refused",
        f"{_FOREIGN}::test_a_receipt_of_another_version_is_refused",
    ),
    "doit_receipts/receipts.py::Receipts.artifacts": (
        f"{_MISSING}::test_task_that_makes_a_file_is_found_and_run_as_told",
    ),
    "doit_receipts/receipts.py::Receipts.facts": (
        f"{_MISSING}::test_what_a_task_left_is_there_once_it_was_run_as_told",
    ),
    "doit_receipts/receipts.py::Receipts.fact_text": (
        f"{_MISSING}::test_fact_that_an_earlier_version_did_not_leave_is_there_once_it_is_forgotten",
    ),
    "doit_receipts/receipts.py::Receipts._inputs": (
        f"{_MISSING}::test_file_that_no_task_makes_is_put_there_as_told",
    ),
    "doit_receipts/receipts.py::Receipts.refuse_altered": (
        "tests/engine/test_run_command.py::test_a_product_swapped_in_the_middle_of_a_run_is_not_taken",
    ),
    "doit_receipts/receipts.py::Receipts.refuse_second_time": (
        f"{_ACTING}::test_a_public_step_with_other_inputs_is_refused_until_a_person_adopts",
    ),
    "plugins/model/secret.py::Secret.__post_init__": (
        f"{_SECRET}::test_text_that_is_no_place_is_refused_and_never_repeated",
    ),
    "plugins/model/secret.py::Secret._error": (
        f"{_SECRET}::test_file_that_others_may_read_is_refused",
    ),
    "plugins/services/git_remote.py::GitRemote._refused": (
        f"{_MERGE}::test_branch_that_would_be_set_back_is_merged_anew_once_it_was_looked_at",
    ),
    "plugins/services/git_remote.py::GitRemote._push_failed": (
        f"{_MERGE}::test_branch_that_moved_before_the_push_is_seen_by_the_same_command",
        f"{_MERGE}::test_push_refused_by_a_rule_is_told_and_protection_restored",
        f"{_MERGE}::test_branch_that_moves_in_the_last_moment_takes_nothing",
    ),
    "plugins/services/git_remote.py::GitRemote._failed": (
        f"{_MERGE}::test_line_cut_after_the_push_is_found_done_by_the_next_look",
    ),
    "plugins/services/gnupg_signer.py::GnupgSigner.__init__": (
        f"{_KEYS}::test_without_any_key_the_setting_is_named",
        f"{_KEYS}::test_short_name_of_a_key_is_refused",
    ),
    "plugins/services/known_hosts.py::KnownHost.missing_host_key": (
        f"{_HOSTS}::test_a_revoked_key_is_refused_though_another_line_knows_it",
        f"{_HOSTS}::test_each_of_several_keys_is_known_and_another_is_told",
        f"{_HOSTS}::test_an_authority_vouches_for_no_plain_key",
    ),
    "plugins/services/known_hosts.py::_lines": (NOBODY,),
    "plugins/steps/afterwards.py::not_yet": (
        f"{_BLOG}::test_post_that_nobody_proposed_is_asked_for_and_found_once_it_is_merged",
        f"{_BLOG}::test_blog_that_is_left_out_as_told_is_not_awaited",
    ),
    "plugins/steps/branch_end.py::find_head": (
        f"{_BRANCH}::test_series_without_a_release_is_another_one_in_release_toml",
        f"{_BRANCH}::test_branch_that_is_gone_is_found_once_it_is_back",
        f"{_BRANCH}::test_branch_that_lacks_its_last_release_is_no_end",
    ),
    "plugins/steps/branch_end.py::look_tagged": (
        f"{_BRANCH}::test_a_tag_of_somebody_else_is_left_to_a_person",
    ),
    "plugins/steps/branch_end.py::push_tag": (
        f"{_BRANCH}::test_commits_that_come_before_the_tag_is_pushed_are_approved_first",
    ),
    "plugins/steps/branch_end.py::look_deleted": (
        f"{_BRANCH}::test_without_its_tag_no_branch_is_deleted",
        f"{_BRANCH}::test_commits_that_come_after_the_tag_keep_the_branch",
    ),
    "plugins/steps/branch_end.py::delete": (
        f"{_BRANCH}::test_without_its_tag_no_branch_is_deleted",
    ),
    "plugins/steps/docs_hosting.py::look_docs_hosted": (
        f"{_DOCS}::test_other_pages_are_never_replaced",
    ),
    "plugins/steps/docs_hosting.py::_show": (
        f"{_DOCS}::test_a_page_too_many_in_the_hidden_folder_is_not_shown",
    ),
    "plugins/steps/docs_hosting.py::_refuse_of_others": (
        f"{_DOCS}::test_hidden_folder_that_a_colleagues_run_left_is_removed_as_told",
    ),
    "plugins/steps/docs_hosting.py::point_current": (
        f"{_DOCS}::test_current_is_not_moved_to_archives_that_are_not_there",
    ),
    "plugins/steps/docs_hosting.py::_judged": (
        f"{_DOCS}::test_folder_in_the_place_of_the_link_is_taken_away_by_the_administrators",
        f"{_DOCS}::test_a_link_that_leads_to_no_version_is_left_to_a_person",
    ),
    "plugins/steps/docs_hosting.py::_refuse_planted": (
        f"{_DOCS}::test_what_another_planted_in_the_hidden_folder_is_moved_away_as_told",
    ),
    "plugins/steps/docs_hosting.py::_unpack": (
        f"{_DOCS}::test_archive_that_arrives_otherwise_is_removed_on_the_host_as_told",
    ),
    "plugins/steps/docs_hosting.py::_pages": (
        f"{_DOCS}::test_archive_of_two_folders_is_refused_until_it_is_made_again",
    ),
    "plugins/steps/emails.py::message_id": (
        f"{_ACTS}::test_email_is_one_once_what_is_told_was_corrected",
    ),
    "plugins/steps/emails.py::email": (
        f"{_ACTS}::test_email_is_one_once_what_is_told_was_corrected",
        f"{_ACTS}::test_email_is_one_once_what_is_told_was_corrected",
        f"{_ACTS}::test_email_is_one_once_what_is_told_was_corrected",
        f"{_ACTS}::test_email_is_one_once_what_is_told_was_corrected",
    ),
    "plugins/steps/emails.py::look_sent": (
        f"{_ACTING}::test_a_mail_that_a_person_missed_is_sent_again",
    ),
    "plugins/steps/ended_places.py::look_forgotten": (
        f"{_ENDED}::test_file_of_another_form_is_for_a_person_and_never_called_up_to_date",
    ),
    "plugins/steps/ended_places.py::_before_and_after": (
        f"{_ENDED}::test_file_of_another_form_is_for_a_person_and_never_called_up_to_date",
    ),
    "plugins/steps/fork.py::look_pushed": (
        f"{_FORK}::test_other_tag_on_the_fork_is_shown_with_both_sides",
    ),
    "plugins/steps/fork.py::delete": (
        f"{_FORK}::test_branch_is_deleted_only_while_it_is_the_release",
    ),
    "plugins/steps/fork.py::_wanted": (
        f"{_ACTS}::test_tag_that_is_gone_is_made_by_the_same_command",
    ),
    "plugins/steps/forum_post.py::_by_hand": (
        "tests/steps/test_forum_post.py::test_who_has_no_key_posts_by_hand",
    ),
    "plugins/steps/forum_post.py::look_posted": (
        "tests/steps/test_forum_post.py::test_tag_that_the_forum_left_out_is_mended_there",
    ),
    "plugins/steps/merge_back.py::made": (
        f"{_ACTS}::test_what_was_not_merged_yet_is_merged_by_the_same_command",
    ),
    "plugins/steps/merge_back.py::_tag": (
        f"{_ACTS}::test_tag_that_is_gone_is_made_by_the_same_command",
    ),
    "plugins/steps/merge_back.py::_made_by_hand": (
        f"{_MERGE}::test_merge_made_by_hand_is_taken_if_it_is_of_the_two_commits",
    ),
    "plugins/steps/merge_back.py::_refuse_branch_there": (
        f"{_ACTS}::test_branch_that_upstream_lacks_is_named_and_merged_into_once_it_is_there",
        f"{_MERGE}::test_first_beta_stops_if_somebody_made_the_branch",
    ),
    "plugins/steps/merge_back.py::_post_version": (
        f"{_MERGE}::test_merge_by_hand_that_lost_the_version_is_made_again_as_found_out",
        f"{_MERGE}::test_merge_by_hand_that_lost_the_version_is_made_again_as_found_out",
    ),
    "plugins/steps/protection.py::_put_back": (
        f"{_MERGE}::test_lease_that_cannot_be_closed_shouts_and_the_next_run_closes_it",
        f"{_MERGE}::test_rules_that_were_changed_while_they_were_lifted_are_corrected_as_told",
    ),
    "plugins/steps/protection.py::look_restored": (
        f"{_MERGE}::test_rules_that_somebody_changed_meanwhile_are_shown",
    ),
    "plugins/steps/protection.py::look_copied": (
        f"{_ACTS}::test_branch_whose_rules_cannot_be_copied_or_differ_is_protected_by_hand_or_alike",
        f"{_ACTS}::test_branch_whose_rules_cannot_be_copied_or_differ_is_protected_by_hand_or_alike",
    ),
    "plugins/steps/protection.py::look_restricted": (
        f"{_RESTRICTING}::test_branch_without_protection_is_left_to_a_person",
    ),
    "plugins/steps/protection.py::look_opened": (
        f"{_ACTS}::test_branch_without_protection_is_opened_once_it_is_protected",
    ),
    "plugins/steps/protection.py::_unprotected": (
        f"{_RESTRICTING}::test_branch_without_protection_is_left_to_a_person",
    ),
    "plugins/steps/protection.py::_lease": (
        f"{_MERGE}::test_lease_that_cannot_be_read_is_deleted_as_told",
    ),
    "plugins/steps/published_tag.py::refuse_other": (
        f"{_TAG}::test_tag_that_others_have_on_another_commit_is_refused_before_anything_is_signed",
    ),
    "plugins/steps/pull_requests.py::look_proposed": (
        "tests/steps/test_blog.py::test_closed_pull_request_is_opened_again_as_told",
    ),
    "plugins/steps/pull_requests.py::see_not_closed": (
        f"{_BLOG}::test_pull_request_that_was_closed_fails_until_it_is_open_again",
    ),
    "plugins/steps/purging.py::purge": (
        f"{_PURGING}::test_a_cache_that_keeps_one_file_is_named_with_its_address",
    ),
    "plugins/steps/site_files.py::look_files": (
        f"{_ACTS}::test_row_of_a_public_page_is_corrected_in_the_sites_admin",
    ),
    "plugins/steps/site_files.py::put_files": (
        f"{_ACTS}::test_row_of_a_public_page_is_corrected_in_the_sites_admin",
        f"{_ROWS}::test_a_row_whose_slug_or_address_another_release_holds_names_the_holder",
    ),
    "plugins/steps/site_release.py::look_draft": (
        f"{_SITE}::test_two_releases_of_one_name_are_both_shown_and_neither_touched",
        f"{_SITE}::test_a_public_release_with_other_fields_is_shown_and_not_changed",
    ),
    "plugins/steps/site_release.py::refresh": (
        f"{_PURGING}::test_a_site_that_can_not_make_its_boxes_anew_is_told_with_its_pages",
    ),
    "plugins/steps/site_release.py::_only": (
        f"{_SITE}::test_two_releases_of_one_name_are_both_shown_and_neither_touched",
    ),
    "plugins/steps/staging.py::verify_staged": (
        "tests/steps/test_verify_staged.py::test_a_file_that_was_replaced_stops",
        "tests/steps/test_verify_staged.py::test_a_signature_by_another_key_stops",
        "tests/steps/test_verify_staged.py::test_an_old_key_on_the_host_is_renewed_as_told",
    ),
    "plugins/steps/staging.py::_switchable": (
        f"{_STAGING}::test_a_staged_file_that_was_replaced_stops_the_switch",
        f"{_STAGING}::test_a_file_that_nobody_brought_stops_the_switch",
    ),
    "plugins/steps/staging.py::_copy": (
        f"{_STAGING}::test_copy_that_somebody_changes_before_it_is_shown_stops_the_switch",
    ),
    "plugins/steps/staging_folders.py::look_reserved": (
        f"{_CLOSED}::test_hidden_folder_that_a_colleagues_killed_run_left_closed_is_opened_as_told",
    ),
    "plugins/steps/tag.py::make": (
        f"{_ACTS}::test_tag_that_is_pushed_and_no_release_tag_is_deleted_where_nobody_built_from_it",
        f"{_TAG}::test_unsigned_tag_of_the_rms_clone_is_refused",
        f"{_ACTS}::test_tag_that_git_gives_back_otherwise_is_made_by_the_git_that_was_meant",
    ),
    "plugins/steps/tag.py::_theirs": (
        f"{_TAG}::test_tag_of_the_rms_clone_on_another_commit_is_refused_with_both",
    ),
    "plugins/steps/tag.py::_needed": (f"{_TAG}::test_series_with_openpgp_needs_a_signer",),
    "plugins/steps/tracker_end.py::look_renamed": (
        f"{_LABELS}::test_two_labels_of_an_ended_series_are_left_to_a_person",
    ),
    "plugins/steps/tracker_end.py::rename_label": (
        f"{_ACTS}::test_label_that_nobody_finds_is_made_by_hand_as_told",
    ),
    "plugins/steps/tracker_end.py::_listed": (
        f"{_LABELS}::test_a_list_that_is_gone_is_made_by_the_same_command",
    ),
    "plugins/steps/upstream_push.py::look_pushed": (
        f"{_MERGE}::test_tag_of_somebody_else_is_never_moved",
        f"{_ACTS}::test_branch_that_does_not_hold_what_was_reviewed_is_merged_by_hand_as_told",
    ),
    "plugins/steps/upstream_push.py::push": (
        f"{_MERGE}::test_upstream_that_moved_is_merged_anew_and_reviewed_as_before",
    ),
    "plugins/steps/upstream_push.py::_tag": (
        f"{_ACTS}::test_what_was_not_merged_yet_is_merged_by_the_same_command",
    ),
}
"""For each function that tells an error, and each of these, who follows its remedy."""
