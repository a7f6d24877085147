"""Followed remedies: for each rule, the test that shows that its remedy helps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.wrongs import WRONGS

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FOLLOWED"]

_WRONGS: Final = (
    "tests/command/test_check_everything.py::"
    "test_all_that_is_wrong_is_reported_at_once_and_every_remedy_helps"
)
_SOURCE: Final = "tests/checks/test_remedies_of_source.py"
_TEXTS: Final = "tests/checks/test_remedies_of_texts.py"
_UPLOADS: Final = "tests/steps/test_remedies_of_uploads.py"
_KEYS: Final = "tests/checks/test_keys.py"
_RELEASES: Final = "tests/verify/test_remedies_of_releases.py"
_EXPORTS: Final = "tests/verify/test_remedies_of_exports.py"
_MORNING: Final = "tests/checks/test_remedies_of_morning.py"

FOLLOWED: Final[Mapping[str, str]] = {
    **dict.fromkeys((each.rule for each in WRONGS), _WRONGS),
    **dict.fromkeys(
        (
            "news.garbled",
            "source.attributes",
            "source.autoconf",
            "source.copyright",
            "source.file_name",
            "source.magic",
            "source.version",
        ),
        f"{_SOURCE}::test_what_is_to_be_changed_on_the_branch_helps_there",
    ),
    **dict.fromkeys(
        ("docs.next", "source.unexpected"),
        f"{_SOURCE}::test_edit_of_somebody_is_gone_with_the_release_clone",
    ),
    "base.only_here": f"{_SOURCE}::test_commits_that_upstream_lacks_are_merged_or_left_out",
    "base.picked": ("tests/checks/test_own_commits.py::test_pick_of_ours_is_merged_or_taken_out"),
    "clone.objects": (
        "tests/checks/test_own_commits.py::test_remedy_of_an_altered_object_is_followed"
    ),
    "clone.branch": (
        f"{_SOURCE}::test_base_of_another_branch_is_corrected_by_the_setting_that_is_named"
    ),
    "clone.future": f"{_SOURCE}::test_base_of_the_future_passes_once_the_clock_is_right",
    "clone.stale": f"{_SOURCE}::test_base_that_is_old_is_fetched_by_what_is_told",
    "clone.unreadable": (
        f"{_SOURCE}::test_folder_of_the_clone_is_corrected_by_the_setting_that_is_named"
    ),
    "news.empty": f"{_SOURCE}::test_release_whose_entries_were_not_merged_gets_them",
    "source.dirty": f"{_SOURCE}::test_work_in_the_release_clone_is_undone_by_what_is_told",
    "source.unreadable": f"{_SOURCE}::test_clone_that_lacks_what_a_step_left_is_made_again",
    "version.not_next": f"{_SOURCE}::test_version_that_does_not_come_next_is_written_as_told",
    **dict.fromkeys(
        (
            "announcement.text",
            "text.address",
            "text.digest",
            "text.gap",
            "text.leftover",
            "text.security",
            "text.security_missing",
            "text.series",
        ),
        f"{_TEXTS}::test_announcement_is_edited_where_its_finding_says",
    ),
    **dict.fromkeys(
        ("schedule.last_bugfix", "schedule.next_series"),
        f"{_TEXTS}::test_what_begins_with_a_release_is_declared_or_added",
    ),
    "phase.current": (
        f"{_TEXTS}::test_kind_or_schedule_is_corrected_where_the_phase_is_not_the_one_before"
    ),
    "phase.moment": (f"{_TEXTS}::test_moment_comes_by_waiting_or_with_another_day_in_the_schedule"),
    "phase.words": f"{_TEXTS}::test_words_about_a_phase_are_edited_where_their_finding_says",
    "schedule.hour": (
        "tests/checks/test_hour.py::test_hour_is_right_in_the_morning_of_the_day_that_is_written"
    ),
    "schedule.released": f"{_TEXTS}::test_day_of_a_release_that_is_recorded_is_written_as_told",
    "site.text": f"{_TEXTS}::test_page_is_edited_where_its_finding_says",
    **dict.fromkeys(
        ("brought.lacks", "brought.untrue"),
        f"{_UPLOADS}::test_what_an_expert_brings_anew_is_seen_once_"
        "the_task_that_awaited_it_is_forgotten",
    ),
    **dict.fromkeys(
        ("public.closed", "public.differs", "public.missing"),
        f"{_UPLOADS}::test_page_is_shown_once_the_judged_file_is_back",
    ),
    **dict.fromkeys(
        ("brought.approved_only", "brought.unproved"),
        f"{_UPLOADS}::test_manifest_that_the_expert_signs_afterwards_proves_what_is_public",
    ),
    "brought.kind": f"{_UPLOADS}::test_toy_of_an_installer_is_replaced_by_one_that_is_whole",
    "brought.unexpected": f"{_UPLOADS}::test_file_of_nobody_is_removed_by_its_owner",
    "brought.unseen": (
        f"{_UPLOADS}::test_files_that_were_never_awaited_are_looked_at_once_they_are"
    ),
    "public.unjudged": (
        f"{_UPLOADS}::test_file_that_nobody_judged_is_judged_once_it_is_awaited_again"
    ),
    "public.unseen": f"{_UPLOADS}::test_host_that_answers_again_is_looked_at_again",
    "windows.busy": (
        "tests/checks/test_pipeline.py::test_run_of_another_release_that_publishes_too_is_warned_of"
    ),
    "windows.unseen": "tests/steps/test_windows_build.py::test_jobs_that_cannot_be_read_block",
    **dict.fromkeys(
        ("docs.none", "tests.none"),
        f"{_MORNING}::test_what_is_left_out_is_written_or_left_out_as_told",
    ),
    **dict.fromkeys(
        ("experts.macos", "experts.windows"),
        f"{_MORNING}::test_expert_is_named_or_comes_later_by_a_waiver",
    ),
    **dict.fromkeys(
        ("key.revoked", "key.secret"),
        f"{_MORNING}::test_secret_half_is_imported_and_a_revoked_key_replaced",
    ),
    **dict.fromkeys(
        ("access.proposals", "blockers.advisories"),
        f"{_MORNING}::test_right_to_propose_is_asked_for",
    ),
    **dict.fromkeys(
        ("forms.changed", "forms.unseen"),
        f"{_MORNING}::"
        "test_form_that_changed_is_waived_and_one_that_was_not_seen_is_looked_at_again",
    ),
    **dict.fromkeys(
        ("hosts.group", "hosts.rights", "hosts.space"),
        f"{_MORNING}::test_what_is_asked_of_the_administrators_of_a_host_helps",
    ),
    **dict.fromkeys(
        ("tools.compiler", "tools.missing"),
        "tests/checks/test_tools.py::"
        "test_program_that_is_not_here_blocks_and_names_what_to_install",
    ),
    "ci.differs": "tests/steps/test_ci.py::test_artifacts_stand_with_their_digests",
    "ci.missing": (
        "tests/steps/test_ci.py::test_check_blocks_until_what_ci_made_of_the_source_is_fetched"
    ),
    "ci.package": ("tests/checks/test_mobile_packages.py::test_package_that_is_cut_short_blocks"),
    "ci.unknown": ("tests/steps/test_ci.py::test_file_of_ci_that_no_table_knows_blocks_by_name"),
    "docs.unlocked": f"{_MORNING}::test_lock_is_written_as_told",
    "hosts.login": f"{_MORNING}::test_login_that_is_refused_is_right_once_its_setting_is",
    "approver.absent": f"{_KEYS}::test_key_of_an_expert_is_imported_as_told",
    "approver.expiring": f"{_KEYS}::test_key_of_an_expert_is_imported_as_told",
    "key.absent": f"{_MORNING}::test_key_that_is_not_there_is_set_to_one_that_is_shown",
    "key.expired": f"{_MORNING}::test_expired_key_is_extended_by_the_command_that_is_told",
    "tools.altered": (
        "tests/checks/test_own_tool.py::"
        "test_archive_that_was_altered_is_as_before_once_it_is_unpacked_again"
    ),
    "tools.changed": (
        "tests/checks/test_own_tool.py::"
        "test_what_python_could_import_instead_is_told_though_git_is_told_to_ignore_it"
    ),
    "tools.old": "tests/checks/test_tools.py::test_program_that_is_too_old_blocks",
    "tools.unconfined": (
        "tests/checks/test_tools.py::"
        "test_machine_without_bubblewrap_blocks_and_says_what_to_install"
    ),
    "tools.unreleased": (
        "tests/checks/test_own_tool.py::test_signed_tag_of_a_maintainer_is_a_release"
    ),
    "work.space": (f"{_MORNING}::test_work_folder_is_another_one_where_its_disk_is_full"),
    "cdn.one_edge": "tests/checks/test_site_checks.py::test_one_cache_alone_is_told",
    "brought.signer": (
        "tests/steps/test_installer_signatures.py::test_package_that_somebody_else_signed_blocks"
    ),
    "brought.unverified": (
        "tests/steps/test_installer_signatures.py::"
        "test_installer_without_a_program_for_it_is_a_note"
    ),
    "docs.python": "tests/steps/test_docs_python.py::test_newer_python_on_path_is_found",
    "rebuild.agrees": (
        "tests/steps/test_rebuild.py::test_two_people_get_the_same_bytes_and_the_gate_counts_them"
    ),
    "rebuild.disagrees": (
        "tests/steps/test_rebuild.py::test_other_bytes_of_somebody_who_counts_block"
    ),
    "rebuild.few": "tests/steps/test_rebuild.py::test_nobody_is_a_note_and_too_few_block",
    "site.draft_found": ("tests/checks/test_site_checks.py::test_a_name_is_free_or_a_draft_has_it"),
    "site.login": "tests/checks/test_site_checks.py::test_a_login_that_may_not_write_blocks",
    "site.name_taken": (
        "tests/checks/test_site_checks.py::"
        "test_a_name_that_is_taken_blocks_and_all_who_have_it_are_shown"
    ),
    "site.replaced": (
        "tests/steps/test_site_rows.py::"
        "test_a_file_that_was_replaced_is_put_back_and_its_row_is_left_alone"
    ),
    "site.rows": "tests/steps/test_site_rows.py::test_a_row_is_corrected_as_its_finding_says",
    "situation.unseen": ("tests/verify/test_blind.py::test_a_throttled_site_is_not_an_empty_one"),
    "tests.platform": (
        "tests/steps/test_elsewhere.py::"
        "test_a_platform_that_never_comes_has_to_be_waived_where_this_machine_steps_in"
    ),
    "ci.attested": (
        "tests/steps/test_ci_attested.py::test_what_is_false_is_named_and_the_remedy_works"
    ),
    "docs.unapproved": (
        "tests/checks/test_docs_lock.py::test_what_the_finding_tells_to_do_lets_it_pass"
    ),
    "manager.channel": (
        "tests/checks/test_manager.py::"
        "test_what_nobody_can_look_up_is_asked_once_and_kept_for_the_person"
    ),
    "manager.identity": (
        "tests/checks/test_manager.py::"
        "test_series_with_another_identity_or_none_is_named_and_mended"
    ),
    "manager.list": (
        "tests/checks/test_manager.py::"
        "test_what_nobody_can_look_up_is_asked_once_and_kept_for_the_person"
    ),
    "manager.page": (
        "tests/checks/test_manager.py::test_page_that_users_verify_by_has_the_identity_that_signs"
    ),
    "manager.pep": ("tests/checks/test_manager.py::test_new_release_manager_is_to_be_in_pep_101"),
    "manager.unread": ("tests/checks/test_manager.py::test_file_that_cannot_be_read_is_named"),
    "release.pep": (
        "tests/checks/test_schedule_checks.py::test_other_pep_blocks_and_its_remedy_works"
    ),
    "site.shown": (
        "tests/steps/test_purging.py::test_the_remedy_of_old_boxes_a_save_in_the_admin_works"
    ),
    "rebuild.unsigned": (
        "tests/steps/test_rebuilt_elsewhere.py::"
        "test_a_kept_attestation_that_was_changed_counts_for_nothing"
    ),
    "tests.unproven": (
        "tests/steps/test_elsewhere.py::"
        "test_a_kept_attestation_that_was_changed_or_deleted_shuts_the_gate"
    ),
    "archived.unseen": (
        "tests/verify/test_archived.py::"
        "test_an_upstream_that_cannot_be_reached_is_looked_at_once_it_can"
    ),
    "docs.unproven": (
        "tests/publish/test_docs_elsewhere.py::"
        "test_what_was_fetched_and_then_changed_is_fetched_again"
    ),
    "page.unseen": (
        "tests/checks/test_site_checks.py::test_page_that_did_not_answer_is_looked_at_again"
    ),
    "source.configure": (
        "tests/steps/test_configure.py::test_difference_is_shown_and_the_tree_left_as_it_is"
    ),
    "tools.packages": (
        "tests/test_makefile.py::"
        "test_packages_that_were_altered_are_as_they_were_once_they_are_installed_anew"
    ),
    **dict.fromkeys(
        ("windows.job", "windows.tests"),
        "tests/steps/test_windows_build.py::test_what_a_run_left_out_is_reported_by_job",
    ),
    "text.version": (
        "tests/checks/test_public_text.py::test_remedy_for_a_version_that_belongs_there_is_followed"
    ),
    **dict.fromkeys(
        (
            "archive.compressor",
            "archive.differ",
            "archive.link",
            "archive.mode",
            "archive.name",
            "archive.owner",
            "archive.pyc",
            "archive.root",
            "archive.stream",
            "archive.time",
            "archive.tree",
            "archive.type",
            "archive.unreadable",
            "bundle.bytes",
            "bundle.identity",
            "bundle.missing",
            "bundle.unreadable",
            "bundle.untrusted",
            "cache.stale",
            "cache.stale_page",
            "cache.unseen",
            "docs.current",
            "docs.different",
            "docs.hosted",
            "docs.link",
            "docs.missing",
            "docs.unreadable",
            "docs.unreleased",
            "evidence.commit",
            "evidence.form",
            "evidence.missing",
            "evidence.signature",
            "evidence.subject",
            "file.closed",
            "file.described",
            "file.manifest",
            "file.missing",
            "file.other_here",
            "file.size",
            "file.unlisted",
            "file.unrecognised",
            "manifest.differs",
            "manifest.missing",
            "manifest.removed",
            "manifest.unlisted",
            "manifest.unreadable",
            "manifest.unsigned",
            "page.lacks",
            "rebuild.differs",
            "rebuild.failed",
            "row.button",
            "row.digest",
            "row.missing",
            "row.sidecar",
            "row.size",
            "row.surplus",
            "row.system",
            "row.text",
            "row.unseen",
            "sbom.archive",
            "sbom.changed_file",
            "sbom.content",
            "sbom.lacks",
            "sbom.missing_file",
            "sbom.statement",
            "sbom.unreadable",
            "signature.bytes",
            "signature.expired",
            "signature.identity",
            "signature.missing",
            "signature.revoked",
            "signature.unreadable",
            "site.flags",
            "site.latest",
            "tag.branch",
            "tag.light",
            "tag.missing",
            "tag.name",
            "tag.other_here",
            "tag.shadowed",
            "tag.signature",
            "tag.version",
        ),
        f"{_RELEASES}::test_a_release_that_is_out_is_mended_by_what_its_findings_say",
    ),
    **dict.fromkeys(
        (
            "checksums.differs",
            "checksums.form",
            "checksums.missing",
            "checksums.unlisted",
        ),
        f"{_EXPORTS}::test_an_export_is_made_again_as_its_findings_say",
    ),
    **dict.fromkeys(
        (
            "bundle.unseen",
            "evidence.unseen",
            "signature.unseen",
            "tag.unseen",
        ),
        f"{_RELEASES}::test_what_could_not_be_looked_at_is_once_its_finding_is_followed",
    ),
    **dict.fromkeys(
        (
            "file.mode",
            "staged.differs",
            "staged.unseen",
        ),
        f"{_RELEASES}::test_what_is_staged_is_mended_where_it_was_exported",
    ),
    **dict.fromkeys(
        (
            "archived.approval",
            "archived.missing",
            "archived.published",
            "archived.receipt",
            "archived.signature",
            "archived.unreadable",
        ),
        "tests/verify/test_archived.py::"
        "test_another_copy_is_taken_or_the_release_manager_is_asked_as_told",
    ),
    "archive.previous": (
        f"{_RELEASES}::test_what_was_meant_to_go_since_the_release_before_is_waived"
    ),
    "situation.nothing": f"{_RELEASES}::test_there_is_something_to_verify_once_it_is_exported",
}
"""The test in which somebody does what the remedy says, and the finding is gone, by rule."""
