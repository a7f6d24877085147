"""Git remote: the Remote port over git itself, for addresses of ssh and https, and for paths.

A push is a compare-and-swap: ``--force-with-lease=REF:OLD`` names the only value that may be
replaced. It would also allow a branch to go back, so that is refused here before git is asked.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Final

from doit_receipts.errors import ServiceFailed
from doit_receipts.outside import Act, leaves
from plugins.services.git_person import personal_files
from plugins.services.retry import quiet_stamina

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from plugins.ports.git import RefUpdate
    from plugins.ports.programs import Completed, Programs

__all__ = ["GitRemote"]

_REF: Final = re.compile(r"refs/(?:heads|tags|upstream|release)/[A-Za-z0-9][A-Za-z0-9._/+-]*")
_OBJECT: Final = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})?")
_TIMEOUT_S: Final = 120.0
_PUSH_TIMEOUT_S: Final = 900.0
# Rule 14: an unknown or changed host key is a refusal, and nothing asks on the terminal. An ssh
# configuration is read, the user's own if no other is given: it says which key goes where.
_SSH: Final = ("ssh", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes",
               "-o", "ConnectTimeout=20", "-o", "ServerAliveInterval=15")  # fmt: skip
# GitHub's code for every rule of a protected branch, and words of other servers.
_PROTECTED: Final = ("GH006", "GH013", "protected branch", "pre-receive hook declined")


class GitRemote:
    """The Remote port over one address.

    ``ssh`` begins the command that git connects with; ``ssh_config`` is read in place of the
    person's and the machine's, as ``ssh -F`` does.
    """

    def __init__(
        self,
        address: str,
        programs: Programs,
        *,
        ssh: Sequence[str] = _SSH,
        ssh_config: Path | None = None,
    ) -> None:
        self._address = address
        self._programs = programs
        self._ssh = (*ssh, *(("-F", str(ssh_config)) if ssh_config else ()))

    def __repr__(self) -> str:
        return f"remote({self._address})"

    @property
    def address(self) -> str:
        """See the port."""
        return self._address

    def refs(self, *names: str) -> dict[str, str]:
        """See the port. Asked again twice if the connection fails: it only reads."""
        for name in names:
            self._refuse_wrong_name(name)
        found = self._listed(*names)
        # git takes a name for the end of a longer one as well
        return {name: found.get(name, "") for name in names}

    def matching(self, *patterns: str) -> tuple[str, ...]:
        """See the port. Asked again twice as above."""
        return tuple(name for name in self._listed(*patterns) if not name.endswith("^{}"))

    def _listed(self, *patterns: str) -> dict[str, str]:
        stamina = quiet_stamina()
        retried = stamina.retry(
            on=ServiceFailed, attempts=3, wait_initial=0.5, wait_max=5, timeout=None
        )
        # no repository is at the root, so nobody's configuration is read
        listed = retried(self._git)(
            Path("/"), "ls-remote", "--", self._address, *patterns, timeout_s=_TIMEOUT_S
        )
        lines = (line.partition("\t") for line in listed.stdout.splitlines())
        return {name: identifier for identifier, _, name in lines}

    def fetch(self, folder: Path, wanted: Mapping[str, str]) -> None:
        """See the port."""
        for name in (*wanted, *wanted.values()):
            self._refuse_wrong_name(name)
        specs = [f"+{there}:{here}" for there, here in wanted.items()]
        self._git(
            folder, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-gc",
            "--recurse-submodules=no", "--", self._address, *specs, timeout_s=_PUSH_TIMEOUT_S,
        )  # fmt: skip

    def push(self, source: Path, updates: Sequence[RefUpdate], *, dry_run: bool = False) -> None:
        """See the port."""
        for update in updates:
            self._refuse_wrong(update)
            self._refuse_going_back(source, update)
        if not dry_run and not leaves(self._act(updates)):
            return
        leases = [f"--force-with-lease={update.ref}:{update.old}" for update in updates]
        specs = [f"{update.new}:{update.ref}" for update in updates]
        ended = self._git(
            source, "push", "--porcelain", "--atomic", "--no-verify", "--no-follow-tags",
            "--no-signed", "--recurse-submodules=no", *(["--dry-run"] if dry_run else []),
            *leases, "--", self._address, *specs, timeout_s=_PUSH_TIMEOUT_S, check=False,
        )  # fmt: skip
        if ended.status:
            raise self._push_failed(ended, updates)

    # ── inside ─────────────────────────────────────────────────────────────────────────────

    def _act(self, updates: Sequence[RefUpdate]) -> Act:
        nothing = "nothing"
        lines = tuple(
            f"{update.ref}: {update.old or nothing} -> {update.new or nothing}"
            for update in updates
        )
        return Act("push", f"push to {self._address}: {', '.join(lines)}", lines)

    def _git(
        self, folder: Path, *words: str, timeout_s: float | None = None, check: bool = True
    ) -> Completed:
        ended = self._programs.run(
            ["git", *self._credential_helpers(folder), *words],
            folder=folder,
            env={"GIT_SSH_COMMAND": shlex.join(self._ssh), "GIT_SSH_VARIANT": "ssh"},
            timeout_s=timeout_s,
            check=False,
        )
        if check and ended.status:
            raise self._failed(words[0], ended)
        return ended

    def _credential_helpers(self, folder: Path) -> list[str]:
        """For https the person's own credential helper, the one thing that we need of theirs."""
        if not self._address.startswith("https://"):
            return []
        helpers: list[str] = []
        for file in personal_files():
            listed = self._programs.run(
                ["git", "config", "--global", "--get-all", "credential.helper"],
                folder=folder,
                env={"GIT_CONFIG_GLOBAL": str(file)},
                check=False,
            )
            helpers += listed.stdout.splitlines()
        return [word for helper in helpers for word in ("-c", f"credential.helper={helper}")]

    def _refuse_wrong_name(self, name: str) -> None:
        if not _REF.fullmatch(name) or ".." in name or name.endswith((".lock", "/", ".")):
            raise self._refused(
                action="name a ref", problem=f"{name!a} is not the full name of a branch or a tag"
            )

    def _refuse_wrong(self, update: RefUpdate) -> None:
        self._refuse_wrong_name(update.ref)
        for identifier in (update.new, update.old):
            if not _OBJECT.fullmatch(identifier):
                raise self._refused(
                    action=f"push {update.ref}", problem=f"{identifier!a} is not a full object id"
                )
        if update.ref.startswith("refs/tags/") and update.old not in ("", update.new):
            raise self._refused(
                action=f"push {update.ref}",
                problem=f"the tag exists already, at {update.old}, and a tag never moves",
            )

    def _refuse_going_back(self, source: Path, update: RefUpdate) -> None:
        if not (update.new and update.old and update.ref.startswith("refs/heads/")):
            return
        ended = self._programs.run(
            ["git", "merge-base", "--is-ancestor", update.old, update.new],
            folder=source,
            check=False,
        )
        if ended.status:
            raise self._refused(
                action=f"push {update.ref}",
                problem=f"{update.new[:12]} does not follow {update.old[:12]}, the branch's head",
                remedy="check what was pushed there meanwhile; a branch is never set back",
            )

    def _refused(self, *, action: str, problem: str, remedy: str = "") -> ServiceFailed:
        return ServiceFailed(service=self._address, action=action, problem=problem, remedy=remedy)

    def _push_failed(self, ended: Completed, updates: Sequence[RefUpdate]) -> ServiceFailed:
        said = _said(ended)
        flagged = [line.split("\t") for line in ended.stdout.splitlines() if line.startswith("!")]
        reasons = {words[1].partition(":")[2]: words[2] for words in flagged if len(words) > 2}
        stale = [update for update in updates if "stale info" in reasons.get(update.ref, "")]
        names = ", ".join(update.ref.split("/", 2)[2] for update in updates)
        if stale:
            first = stale[0]
            return ServiceFailed(
                service=self._address,
                action=f"push {names}",
                problem=f"{first.ref} is no longer {first.old[:12] or 'absent'}, so nothing "
                "was pushed",
                remedy="somebody pushed meanwhile; run the same command again to see what",
                details=said,
            )
        protected = [line for line in said if any(word in line for word in _PROTECTED)]
        if protected:
            return ServiceFailed(
                service=self._address,
                action=f"push {names}",
                problem=f"refused, so nothing was pushed: {_plain(protected[0])}",
                remedy="check the branch's protection, and whether your account may bypass it",
                details=said,
            )
        if not flagged:
            return self._failed("push", ended)
        reason = next(iter(reasons.values()), "refused")
        return ServiceFailed(
            service=self._address,
            action=f"push {names}",
            problem=f"refused, so nothing was pushed: {reason}",
            remedy="run the same command again: it first checks what the remote has now",
            details=said,
        )

    def _failed(self, action: str, ended: Completed) -> ServiceFailed:
        said = _said(ended)
        text = "\n".join(said)
        if "Host key verification failed" in text:
            problem = "the host's key is not the known one, or no key is known"
            remedy = "compare its fingerprint with the published one, then add it to known_hosts"
        elif "Permission denied" in text or "Authentication failed" in text:
            problem = "the login was refused"
            remedy = "check that ssh-agent holds the key, or that your token may do this"
        else:
            fatal = [line for line in said if line.startswith(("fatal:", "error:"))]
            problem = _plain(fatal[0]) if fatal else f"git ended with status {ended.status}"
            remedy = "check the address and the network, then run the same command again"
        return ServiceFailed(
            service=self._address, action=action, problem=problem, remedy=remedy, details=said
        )


def _said(ended: Completed) -> tuple[str, ...]:
    lines = (ended.stderr + ended.stdout).splitlines()
    return tuple(line for line in lines if line.strip() and not line.startswith("hint:"))[-8:]


def _plain(line: str) -> str:
    return re.sub(r"^(?:remote: |error: |fatal: |! )+", "", line).strip()
