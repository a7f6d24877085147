"""Forms: how a text of release.toml has to look to be a commit, a key, an address or a rule.

Each function that gives a text back gives it in its one true spelling. Raises WrongForm with what
to do instead, and HoldsSecret where the text itself must not be shown again.
"""

from __future__ import annotations

import re
from typing import Final

from doit_receipts.errors import BadVersion
from plugins.model.version import Version

__all__ = [
    "HoldsSecret",
    "WrongForm",
    "artifact_name",
    "commit_id",
    "environment_name",
    "fingerprint",
    "fingerprints",
    "git_remote",
    "github_login",
    "github_repository",
    "host_address",
    "leads_elsewhere",
    "mail_address",
    "mail_server",
    "person_name",
    "release_version",
    "revision",
    "role",
    "rule_id",
    "time_zone",
    "web_address",
    "workflow_file",
]

_COMMIT: Final = r"[0-9a-f]{40}(?:[0-9a-f]{24})?"
_FINGERPRINT: Final = r"[0-9A-F]{40}"
_ROLE: Final = r"[a-z][a-z0-9_-]*"
_RULE: Final = r"[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+"
_ENVIRONMENT_NAME: Final = r"[A-Za-z_][A-Za-z0-9_]*"
_FULL_LOGIN: Final = r"(?i)[a-z+]+://[^/@\s]*:[^/\s]*@"
_WEB_LOGIN: Final = r"(?i)https?://[^/\s]*@"
_UNDER_CREDENTIALS: Final = "write where the secret is under [credentials]"
_GIT_SCHEMES: Final = ("ssh", "https", "http", "git", "file")
_THIS_MACHINE: Final = ("localhost", "127.0.0.1", "[::1]")
# Git's own short form: [user@]host:path, where no colon comes before the first slash.
_SCP: Final = r"(?:[\w.-]+@)?[A-Za-z0-9][\w.-]*:(?!:)[^\s]+"


class WrongForm(ValueError):
    """The text does not look as it has to; the message is what to do instead."""

    def __init__(self, *, remedy: str) -> None:
        super().__init__(remedy)


class HoldsSecret(WrongForm):
    """The text holds a secret, so no message may repeat it."""


def commit_id(text: str) -> str:
    """A full object id: 40 or 64 lower-case hex digits."""
    if re.fullmatch(_COMMIT, text):
        return text
    raise WrongForm(
        remedy=f"write the full commit id, as git rev-parse {text} prints it"
        if text.isalnum()
        else "write full commit ids"
    )


def revision(text: str) -> str:
    """The name of a branch, a tag or a commit; never something that git takes for an option."""
    if re.fullmatch(r"[^\s\-:?*\[\\^~][^\s:?*\[\\^~]*", text) and ".." not in text:
        return text
    raise WrongForm(remedy="write a branch, a tag or a commit, such as origin/3.14")


def fingerprint(text: str) -> str:
    """A full OpenPGP fingerprint in 40 upper-case hex digits; gpg's groups are joined.

    Short ids are refused: keys with an equal one can be made at will.
    """
    joined = re.sub(r"[ \t]", "", text).upper().removeprefix("0X")
    if re.fullmatch(_FINGERPRINT, joined):
        return joined
    raise WrongForm(
        remedy="write the full fingerprint, 40 hex digits, as gpg --fingerprint prints it"
    )


def fingerprints(text: str) -> str:
    """The full fingerprints of a person's keys, with `` + `` between them; of most just one."""
    return " + ".join(map(fingerprint, text.split("+")))


def role(text: str) -> str:
    """The name of an expert's section: lower-case letters, digits, - and _."""
    return _matching(
        _ROLE, text, "write a name such as windows: lower-case letters, digits, - and _"
    )


def rule_id(text: str) -> str:
    """A dotted rule id, as findings show it."""
    return _matching(_RULE, text, "write a rule as findings show it, such as builders.red")


def environment_name(text: str) -> str:
    """The name of an environment variable."""
    return _matching(
        _ENVIRONMENT_NAME, text, "write the name of an environment variable, such as PYDOTORG_AUTH"
    )


def git_remote(text: str) -> str:
    """An address that git can push to, or a local path; no remote helpers, no options."""
    # A user's name before @ is a token more often than not where http is spoken.
    for form in (_FULL_LOGIN, _WEB_LOGIN):
        _refuse_secrets(text, form, "leave it to git's credential helper")
    scheme, separator, rest = text.partition("://")
    if separator:
        good = scheme in _GIT_SCHEMES and rest != "" and not re.search(r"\s", text)
    else:
        good = "::" not in text and bool(
            text.startswith((".", "/", "~")) or re.fullmatch(_SCP, text)
        )
    if good:
        return text
    raise WrongForm(remedy="write an address such as git@github.com:python/cpython.git, or a path")


def host_address(text: str) -> str:
    """``ssh://[user@]host[:port]/folder`` or ``folder:///folder``."""
    _refuse_secrets(text, _FULL_LOGIN, "ssh logs in with its agent")
    if re.fullmatch(r"ssh://(?:[\w.-]+@)?[A-Za-z0-9][\w.-]*(?::[0-9]{1,5})?/\S*", text):
        return text.rstrip("/")
    if re.fullmatch(r"folder:///[^\x00-\x1f]+", text):
        return text.rstrip("/")
    raise WrongForm(remedy="write ssh://user@host/folder or folder:///folder")


def mail_server(text: str) -> str:
    """``smtp://host[:port]``, which turns to TLS before it logs in, or ``smtps://host[:port]``."""
    _refuse_secrets(text, r"(?i)[a-z]+://[^/\s]*@", _UNDER_CREDENTIALS)
    if re.fullmatch(r"smtps?://(?:[A-Za-z0-9][\w.-]*|\[::1\])(?::[0-9]{1,5})?/?", text):
        return text.rstrip("/")
    raise WrongForm(remedy="write smtp://host:port or smtps://host:port")


def mail_address(text: str) -> str:
    """``name@host``, without a display name."""
    return _matching(
        r"[A-Za-z0-9][\w.+-]*@[A-Za-z0-9][\w.-]*[A-Za-z0-9]",
        text,
        "write an address such as python-dev@python.org",
    )


def time_zone(text: str) -> str:
    """A name of the time zone database; whether this machine has it is looked at later."""
    return _matching(
        r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+){0,2}",
        text,
        "write a time zone such as America/New_York",
    )


def release_version(text: str) -> str:
    """A whole version of Python, such as 3.14.0rc1."""
    try:
        return str(Version.parse(text))
    except BadVersion as error:
        raise WrongForm(remedy=error.remedy) from error


def github_repository(text: str) -> str:
    """``owner/name`` of a repository at GitHub."""
    return _matching(
        r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+", text, "write owner/name, such as python/peps"
    )


def github_login(text: str) -> str:
    """The name of an account at GitHub."""
    return _matching(
        r"[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38}", text, "write a name at GitHub, without @"
    )


def person_name(text: str) -> str:
    """A person's name, in the letters and signs that check-peps.py of python/peps allows."""
    return _matching(
        r"[^\W\d_](?:[^\W\d_]|[ '.-])*", text, "write a name of letters, spaces and any of ' . -"
    )


def workflow_file(text: str) -> str:
    """The name of a file in ``.github/workflows``."""
    return _matching(
        r"[A-Za-z0-9][A-Za-z0-9._-]*\.ya?ml",
        text,
        "write the name of a file in .github/workflows, such as build.yml",
    )


def artifact_name(text: str) -> str:
    """The name of what a run leaves, which is also that of a folder."""
    return _matching(
        r"[A-Za-z0-9_][A-Za-z0-9_-]{0,99}",
        text,
        "write the name of an artifact as GitHub shows it, such as source",
    )


def web_address(text: str) -> str:
    """``https://host[:port][/path]``, with no slash at its end; http only for this machine."""
    _refuse_secrets(text, _WEB_LOGIN, _UNDER_CREDENTIALS)
    found = re.fullmatch(r"(https?)://([A-Za-z0-9][\w.-]*|\[::1\])(?::[0-9]{1,5})?(?:/\S*)?", text)
    if found is None:
        raise WrongForm(remedy="write an address such as https://www.python.org")
    if found[1] == "http" and found[2] not in _THIS_MACHINE:
        raise WrongForm(remedy="write https: over http a secret would be sent unencrypted")
    return text.rstrip("/")


def leads_elsewhere(address: str) -> bool:
    """Whether another machine is asked by this address: of a website, server, host or repository.

    Names that end in ``.rehearsal`` are known to the ssh configuration of a rehearsal alone.
    """
    url = r"(?:http|smtp|ssh|git)s?://(?:[^@/]*@)?(\[::1\]|[^/:]*)"
    short = r"(?:[\w.-]+@)?([\w.-]+)"
    found = re.match(rf"{url}|{short}:(?!//)", address)
    host = (found[1] or found[2] or "") if found else ""
    return host not in ("", *_THIS_MACHINE) and not host.endswith(".rehearsal")


def _matching(form: str, text: str, remedy: str) -> str:
    if re.fullmatch(form, text):
        return text
    raise WrongForm(remedy=remedy)


def _refuse_secrets(text: str, form: str, remedy: str) -> None:
    if re.match(form, text):
        raise HoldsSecret(remedy=remedy)
