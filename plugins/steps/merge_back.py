"""Merge back: the release in upstream's current branches, and the version that comes after it.

It is made in a clone of its own from the heads that upstream has, all by commit ids, so that a
run that was killed is simply done again. Refs of the clone record what was made of what:
``refs/release/old/BRANCH`` the head that upstream had ("" as no ref), ``refs/release/new/BRANCH``
what it is to become.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from doit_receipts.durable import write_whole
from doit_receipts.errors import StepFailed
from plugins.model import patchlevel
from plugins.model.readme import with_branch_links, with_title
from plugins.model.release import ReleaseType
from plugins.model.tree_rules import README, readme_title
from plugins.steps import next_main
from plugins.steps.news import NEXT
from plugins.steps.release_clone import BASE, COMMIT, input_commit
from plugins.steps.tree_links import path_in

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from plugins.model.release import Release
    from plugins.ports.git import Base, Clone, Identity, Remote, Tag
    from plugins.ports.progress import Progress

__all__ = ["forget", "made", "make", "review"]


def make(
    release: Release,
    source: Clone,
    clone: Clone,
    base: Base,
    remote: Remote,
    progress: Progress,
    *,
    by_hand: str = "",
    next_pep: int = 0,
) -> dict[str, str]:
    """In the merge clone each branch has the release merged in, and its post-release version.

    ``source`` is the release clone, ``clone`` the one that is made here from upstream's heads
    (M02-M13; N01-N18 for a new branch). The merge is not a squash, and what was cherry-picked into
    the release is no longer listed as news to come (M12). Nothing is pushed. ``by_hand`` is a
    merge commit that the release manager made in their own clone, for conflicts that no tool
    should solve; it has to be of exactly these two commits. ``next_pep`` is the PEP of the series
    after a new branch; 0 for the one that this tool knows.
    """
    tag = _tag(release, source)
    main = release.branch
    progress.say(f"fetching {main} of {remote.address}")
    clone.prepare(source.folder, (tag.commit, input_commit(source, BASE)))
    heads = {branch: f"refs/upstream/{branch}" for branch in release.merge_branches}
    there = remote.refs(*(f"refs/heads/{branch}" for branch in heads))
    _refuse_branch_there(release, there, remote)
    remote.fetch(clone.folder, {f"refs/heads/{main}": heads[main]})
    head = clone.resolve(f"refs/upstream/{main}")
    clone.point(f"refs/tags/{tag.name}", _copied_tag(tag, source, clone))
    by, when = base.identity(), max(tag.made, clone.about(head).committed)
    message = f"Merge tag '{tag.name}' into {main}"
    if by_hand:
        merged = _made_by_hand(by_hand, base, clone, (head, tag.commit))
    else:
        # The branch states the last release with a +, where cherry-picks start from that release.
        theirs = (patchlevel.PATH, README)
        ref = f"refs/tags/{tag.name}"
        merged = clone.merge(head, ref, message, by=by, when=when, theirs=theirs)
    news = _released_already(clone, merged, input_commit(source, BASE))
    after = _Edits(clone, by, when)
    post = after.commit(
        merged,
        {**_post_version(release, clone, merged), **dict.fromkeys(news)},
        f"Post {release.version}",
    )
    new = {main: post}
    if release.type is ReleaseType.NEW_BRANCH:
        progress.say("preparing main for the next series")
        edits = next_main.edits(release, clone, merged, pep=next_pep)
        opened = after.commit(merged, edits, f"Python {next_main.version_of(release)}")
        new = {main: opened, release.version.series: post}
    facts = {"tag": tag.id, "news removed": str(len(news))}
    for branch, commit in new.items():
        old = head if branch == main else ""
        if old:
            clone.point(f"refs/release/old/{branch}", old)
        clone.point(f"refs/release/new/{branch}", commit)
        facts |= {f"old {branch}": old or "none", f"new {branch}": commit}
    clone.checkout(new[main])
    return facts


def review(release: Release, clone: Clone) -> dict[str, str]:
    """All that upstream's branches get is in ``made/merge-BRANCH.diff``, to be read (M13).

    Its digest stays the same when a colleague's commit came in between, unless that changed
    the same files; an approval of this step lasts as long.
    """
    facts = {}
    main = release.branch
    for branch, (old, new) in made(release, clone).items():
        file = release.layout.merge_diff(branch)
        clone.write_patch(old or made(release, clone)[main][0], new, file)
        facts[f"digest {branch}"] = hashlib.sha256(file.read_bytes()).hexdigest()
    return facts


def made(release: Release, clone: Clone) -> dict[str, tuple[str, str]]:
    """For each branch the head that upstream had and what it is to become.

    Raises StepFailed if nothing was made yet.
    """
    found = {}
    for branch in release.merge_branches:
        new = clone.resolve(f"refs/release/new/{branch}")
        if not new:
            raise StepFailed(
                where="merge clone",
                problem=f"nothing was merged for {branch}",
                remedy="run the same command again: the step that does it is stale",
            )
        found[branch] = (clone.resolve(f"refs/release/old/{branch}"), new)
    return found


def forget(release: Release, clone: Clone) -> None:
    """What was made is stale, since upstream has moved; the next run makes it again."""
    for branch in release.merge_branches:
        clone.forget(f"refs/release/new/{branch}")
        clone.forget(f"refs/release/old/{branch}")


# ── inside ─────────────────────────────────────────────────────────────────────────────────


class _Edits:
    """Commits of the release manager on top of others, equal each time they are made."""

    def __init__(self, clone: Clone, by: Identity, when: datetime) -> None:
        self._clone, self._by, self._when = clone, by, when

    def commit(self, parent: str, files: Mapping[str, bytes | None], message: str) -> str:
        """A child of the commit with these files; None takes one away."""
        self._clone.checkout(parent)
        for name, content in files.items():
            file = path_in(self._clone.folder, name)
            if content is None:
                file.unlink()
            else:
                mode = file.stat().st_mode & 0o777 if file.exists() else 0o644
                write_whole(file, content, mode=mode)
        tree_of = self._clone.record("edited", parent, message)
        return self._clone.compose(tree_of, parent, message, by=self._by, when=self._when)


def _tag(release: Release, source: Clone) -> Tag:
    tag = source.tag(release.version.tag)
    if tag is None or tag.commit != input_commit(source, COMMIT):
        raise StepFailed(
            where="release clone",
            problem=f"{release.version.tag} does not name the release commit",
            remedy="run the same command again: the tag is stale",
        )
    return tag


def _copied_tag(tag: Tag, source: Clone, clone: Clone) -> str:
    """The tag object itself is in the merge clone as well."""
    clone.prepare(source.folder, (tag.id,))
    return tag.id


def _made_by_hand(commit: str, base: Base, clone: Clone, parents: tuple[str, str]) -> str:
    clone.prepare(base.folder, (commit,))
    found = clone.about(commit).parents
    if found != parents:
        raise StepFailed(
            where=f"merge {commit[:12]}",
            problem="is not a merge of the release into upstream's branch as it is now",
            remedy=f"merge again: git checkout {parents[0][:12]}; git merge {parents[1][:12]}",
            details=(f"its parents {' '.join(found)}", f"wanted      {' '.join(parents)}"),
        )
    return commit


def _refuse_branch_there(release: Release, there: Mapping[str, str], remote: Remote) -> None:
    main, *new = release.merge_branches
    if not there[f"refs/heads/{main}"]:
        raise StepFailed(
            where=remote.address,
            problem=f"has no branch {main}",
            remedy="check [repository] upstream and [series] phase in release.toml",
        )
    for branch in new:
        if there[f"refs/heads/{branch}"]:
            raise StepFailed(
                where=remote.address,
                problem=f"has a branch {branch} already, which this release is to create",
                remedy="find out who created it; if this is not the first beta, correct version "
                "in release.toml",
            )


def _post_version(release: Release, clone: Clone, merged: str) -> dict[str, bytes]:
    """patchlevel.h and README state the release and that it is past (M09-M11).

    On a new branch README leads into the tree of that branch (M08).
    """
    header = clone.read(merged, patchlevel.PATH) or b""
    found = patchlevel.read_patchlevel(header.decode())
    if found.version != release.version:
        raise StepFailed(
            where=patchlevel.PATH,
            problem=f"states {found.version} after the merge, wanted {release.version}",
            remedy="find out who changed it on upstream's branch in the meantime",
        )
    readme = clone.read(merged, README) or b""
    if not readme.startswith(readme_title(release.version).encode() + b"\n"):
        first = readme.split(b"\n", 1)[0].decode(errors="replace")
        raise StepFailed(
            where=README,
            problem=f"begins with '{first}' after the merge",
            remedy="find out who changed it on upstream's branch in the meantime",
        )
    suffix = release.series.development_suffix
    readme = with_title(readme, release.version, suffix)
    if release.type is ReleaseType.NEW_BRANCH:
        readme, _ = with_branch_links(readme, release.version.series)
    text = patchlevel.written_patchlevel(header.decode(), release.version, suffix)
    return {patchlevel.PATH: text.encode(), README: readme}


def _released_already(clone: Clone, merged: str, base: str) -> tuple[str, ...]:
    """Entries of news to come that the release has published: they were picked into it (M12)."""
    folded = set(clone.names(base, NEXT))
    return tuple(
        name
        for name in clone.names(merged, NEXT)
        if name in folded and not name.endswith("/README.rst") and "/." not in name
    )
