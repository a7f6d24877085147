"""7. The source archives: both written from the tag, judged against its tree, built and tested."""

from __future__ import annotations

from chapters.commit import make_tag
from chapters.release import at, plan, release, services, settings
from checks import archives, release_commit
from doit_receipts.calls import call, deferred
from plugins.steps import source_test, tarball


@plan.step(after=[make_tag], writes=at.tarballs, takes={"cores": 1}, pep="B01 B02")
def build_tarballs():
    """Write both source archives; the same tag gives the same bytes on any machine."""
    return call(tarball.build, release, services.clone, services.programs, services.progress)


tag_time_s = deferred(int, plan.fact(build_tarballs, "epoch_s"))


@plan.gate(after=[build_tarballs], reads=at.tarballs, takes={"cores": 1}, pep="B07 B08 B09")
def check_archives():
    """Stop unless both archives hold exactly the tag's tree, readable by everyone."""
    commit = plan.fact(build_tarballs, "commit")
    tree = (services.clone, services.programs, commit, tag_time_s)
    return [
        call(release_commit.archives_are_of_the_commit, release, services.clone, commit),
        call(archives.archives_are_sound, release, *tree, tarball.merged_news),
    ]


@plan.step(after=[check_archives], reads=at.tarballs, takes={"cores": 1}, pep="B07 B10 B11 B12")
def test_source():
    """Unpack both archives as a user would, then build and test the sources."""
    return call(
        source_test.run, release, services.programs, settings.tests.source, services.progress
    )
