"""GitHub rulesets: the Reservations port, which keeps a branch that does not exist yet.

Classic protection can be given by GitHub's REST API to an existing branch only (github/
rest-api-description#577); a ruleset names refs, whether they are there or not. Source of the form:
GitHub's "Create a repository ruleset". That the role of administrators has the number 5 was read in
the documentation of clients, not tried at GitHub: what came of it is read back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doit_receipts.errors import ServiceFailed
from plugins.services.github import GitHub

if TYPE_CHECKING:
    from plugins.model.secret import Secret

__all__ = ["GitHubRulesets"]

_ADMINISTRATORS: Final = 5
_RULES: Final = ("creation", "update", "deletion", "non_fast_forward")


class GitHubRulesets:
    """The rulesets of one repository, as far as we make them; ``role`` may bypass them."""

    def __init__(
        self, api: str, repository: str, token: Secret | None, role: int = _ADMINISTRATORS
    ) -> None:
        self._role = role
        self._hub = GitHub(api, repository, token)
        self._web = self._hub._web  # noqa: SLF001 - the same client of the same server
        self._top = f"/repos/{repository}/rulesets"

    def __repr__(self) -> str:
        return f"rulesets({self._hub!r})"

    def reserved(self, name: str) -> bool:
        """See the port."""
        return bool(self._numbers(name))

    def keeps_out(self, name: str) -> bool:
        """See the port."""
        return not all(self._passes(number, name) for number in self._numbers(name))

    def reserve(self, name: str, branch: str) -> None:
        """See the port."""
        action = f"reserve {branch} by a ruleset"
        content = {
            "name": name,
            "target": "branch",
            "enforcement": "active",
            "bypass_actors": [
                {"actor_id": self._role, "actor_type": "RepositoryRole", "bypass_mode": "always"}
            ],
            "conditions": {"ref_name": {"include": [f"refs/heads/{branch}"], "exclude": []}},
            "rules": [{"type": kind} for kind in _RULES],
        }
        # not again: two rulesets may have one name
        answer = self._web.send("POST", self._top, action, again=False, json=content)
        made = self._web.json(answer, action).number("id")
        if not self._passes(made, branch):
            self._delete(made, branch)
            raise ServiceFailed(
                service="github",
                action=action,
                problem="your account could not bypass the ruleset, so it was deleted again",
                remedy=f'make a ruleset named "{name}" for {branch} in GitHub\'s settings, with a'
                " bypass for your account, then run the same command again",
            )

    def lift(self, name: str) -> None:
        """See the port."""
        for number in self._numbers(name):
            self._delete(number, name)

    def _numbers(self, name: str) -> list[int]:
        listed = self._web.get_all(self._top, "list rulesets")
        return [each.number("id") for each in listed if each.line("name") == name]

    def _passes(self, number: int, what: str) -> bool:
        action = f"look who may bypass the ruleset of {what}"
        read = self._web.get(f"{self._top}/{number}", action)
        bypass = self._web.json(read, action).line("current_user_can_bypass", may_miss=True)
        return bypass in ("always", "exempt")

    def _delete(self, number: int, what: str) -> None:
        action = f"delete the ruleset of {what}"
        self._web.send("DELETE", f"{self._top}/{number}", action, again=True, also=(404,))
