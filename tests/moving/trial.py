"""A release that an earlier commit began is finished by this checkout; what was done twice is told.

``.venv/bin/python tests/moving/trial.py [COMMIT [TASK]]`` takes some minutes: a worktree of COMMIT
(1dae947 unless another is named) in a temporary folder, with an environment of its own; a rehearsal
there until TASK (switch_files) is done; then ``doit rehearse`` of this checkout in the same
simulated environment. Status 0: everything is done, nothing public was done twice, and no receipt
of the earlier commit was written again but those of gates that are asked again in every run.
``trial.py --judge BEGUN FINISHED`` only judges two copies of such a folder.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT))

from plugins.model.version import Version  # noqa: E402 - it need not be installed
from plugins.rehearsal import azure, forms, hub, peps, places, remotes, windows_files  # noqa: E402
from plugins.rehearsal.serving import reserve_ports  # noqa: E402
from plugins.rehearsal.store import Store  # noqa: E402

BEGIN = Path(__file__).with_name("begin.py")
VERSION = "3.13.6"
# Asked again in every run until what stands behind them has happened; a gate that more stands
# before since, and that guards what is still to come; and one step that has an input of its own
# since, and may be done again at any time. The announcement's approval covers the page as well
# now, so it is given again unless it was announced.
VOLATILE = {
    "check_access", "check_blockers", "check_before_page", "check_before_switch",
    "check_before_upstream", "check_brought", "check_builders", "check_base", "check_lights",
    "compare_configure", "approve_announcement",
}  # fmt: skip
# What a person has to let pass, since nobody can change it any more.
WAIVED = {
    "access.blog": "the blog of then knows no authors",
    "brought.lacks": "the simulated experts of then made no sidecars, and their files are public",
    "brought.untrue": "what the simulated expert of then made is no JSON, and it is public",
}


def lines_of(file: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def judge(begun: Path, finished: Path) -> list[str]:
    """What is wrong with the finished release, a line each."""
    work, world = finished / "build" / VERSION, finished / "world" / "state"
    wrong = []
    for earlier in sorted((begun / "build" / VERSION / "receipts").glob("*.json")):
        later = work / "receipts" / earlier.name
        if earlier.stem not in VOLATILE and earlier.read_bytes() != later.read_bytes():
            wrong.append(f"{earlier.stem}: done again")
    journal = lines_of(work / "journal.jsonl")
    for event, but in (("intent", set()), ("done", VOLATILE)):
        told = Counter(each["task"] for each in journal if each["event"] == event)
        wrong += [f"{task}: {event} {many} times" for task, many in told.items()
                  if many > 1 and task not in but]  # fmt: skip
    mails = Counter(
        (each["subject"], *each["to"]) for each in json.loads((world / "mail.json").read_text())
    )
    wrong += [
        f"mail {' '.join(each)}: sent {many} times" for each, many in mails.items() if many > 1
    ]
    happened = lines_of(world / "happened.jsonl")
    for part, key in (("forum", "title"), ("git", "refs")):
        acts = Counter(
            json.dumps(each.get(key)) for each in happened if part in each["part"] and key in each
        )
        wrong += [f"{part} {each}: {many} times" for each, many in acts.items() if many > 1]
    made = Counter(
        (each["part"], each["path"])
        for each in happened
        if each["event"] == "rename" and "probe" not in each["path"] and "purge" not in each["path"]
    )
    wrong += [
        f"{part} {path}: renamed into place {many} times"
        for (part, path), many in made.items()
        if many > 1
    ]
    print(f"{sum(mails.values())} mails, {len(happened)} acts, {len(journal)} lines of the journal")
    return wrong


def meet_newer_checks(folder: Path) -> None:
    """Give an environment that was simulated earlier what newer steps and checks ask for.

    The real services were there all along; only their simulation, and the lines of release.toml
    that name it, are newer than the release.
    """
    store = Store(folder / "world" / "state")
    forms.seed(store)
    azure.seed(store)
    peps.seed(store, Version.parse(VERSION), datetime.now(UTC).date())
    store.save("experts", {**store.load("experts", {}), "habit": "manifests"})
    # What the Windows build published then is public, and so the feed is of that.
    public = places.downloads(store) / VERSION
    packages = {file.name: file.read_bytes() for file in public.glob("python-*.zip")}
    windows_files.write_feed(store, Version.parse(VERSION), packages)
    store.order_fault("azure.no_feed")
    # The hooks of then ran a Python that is gone with its checkout.
    for name in ("upstream", "fork"):
        remotes.guard(folder / "world" / f"{name}.git", store, name)
    of = reserve_ports(store)
    secret = folder / "world" / "secrets" / "azure"
    secret.write_text(hub.SECRETS["azure"], encoding="utf-8")
    secret.chmod(0o600)
    declaration = folder / "release.toml"
    text = declaration.read_text(encoding="utf-8")
    text = text.replace("forum_category = 1\n", "forum_category = 23\n")
    hosts = "".join(f'{name} = "{of[name]}"\n' for name in ("peps", "blog", "azure", "nuget"))
    text = text.replace("[credentials]\n", f'{hosts}[credentials]\nazure = "file:{secret}"\n')
    # A waiver is valid for a month at most since then.
    until = datetime.now(UTC).date() + timedelta(days=30)
    for rule, reason in WAIVED.items():
        text += f'\n[[waivers]]\nrule = "{rule}"\nreason = "{reason}"\nby = "rm"\nuntil = {until}\n'
    text = text.replace("2999-12-31", str(until))
    declaration.write_text(text, encoding="utf-8")


def run(*words: str | Path, folder: Path) -> int:
    print("$", *words, flush=True)
    return subprocess.run([str(word) for word in words], cwd=folder, check=False).returncode


def trial(commit: str, task: str, room: Path) -> tuple[Path, Path]:
    """The folders of the release as it was begun, and as it was finished."""
    checkout, folder = room / "checkout", room / "rehearsal"
    if run("git", "worktree", "add", "--detach", checkout, commit, folder=PROJECT):
        sys.exit("there is no such commit here")
    try:
        if run("make", "setup", folder=checkout):
            sys.exit("the earlier commit could not be set up")
        if run(checkout / ".venv/bin/python", BEGIN, folder, task, folder=checkout):
            sys.exit(f"the earlier commit did not come to {task}")
    finally:
        run("git", "worktree", "remove", "--force", checkout, folder=PROJECT)
    shutil.copytree(folder, room / "begun", symlinks=True)
    meet_newer_checks(folder / VERSION)
    if run(Path(sys.executable).with_name("doit"), "rehearse", "--folder", folder, folder=PROJECT):
        sys.exit("this checkout did not finish it")
    return room / "begun" / VERSION, folder / VERSION


def main() -> int:
    if sys.argv[1:2] == ["--judge"]:
        wrong = judge(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        commit, task = (*sys.argv[1:], *("1dae947", "switch_files")[len(sys.argv) - 1 :])
        with tempfile.TemporaryDirectory() as room:
            wrong = judge(*trial(commit, task, Path(room)))
    print("\n".join(wrong) or "nothing was done twice, and no finished task was done again")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
