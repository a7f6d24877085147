"""GitHub of the simulated environment: protection of branches, classic and by rulesets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from plugins.rehearsal.github_hub import REPOSITORY, page_of, problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from plugins.rehearsal.github_hub import Hub, Route

__all__ = ["Branches"]


class Branches:
    """The document ``protection`` has classic rules by branch, ``rulesets`` the others."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def routes(self) -> tuple[Route, ...]:
        """Method, path and handler of each request."""
        branch = REPOSITORY + "/branches/{branch}/protection"
        return (
            ("GET", branch, self._protection),
            ("PUT", branch, self._protect),
            ("GET", branch + "/enforce_admins", self._admins),
            ("POST", branch + "/enforce_admins", self._enforce),
            ("DELETE", branch + "/enforce_admins", self._spare),
            ("GET", REPOSITORY + "/rules/branches/{branch:path}", self._active_rules),
            ("GET", REPOSITORY + "/rulesets", self._all_rulesets),
            ("POST", REPOSITORY + "/rulesets", self._make_ruleset),
            ("GET", REPOSITORY + "/rulesets/{id:int}", self._ruleset),
            ("DELETE", REPOSITORY + "/rulesets/{id:int}", self._delete_ruleset),
        )

    def _rules(self, request: Request) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self._hub.store.load("protection", {}).get(
            request.path_params["branch"]
        )
        return found

    def _keep(self, request: Request, rules: Mapping[str, Any]) -> None:
        document = self._hub.store.load("protection", {})
        self._hub.store.save("protection", {**document, request.path_params["branch"]: dict(rules)})

    async def _protection(self, request: Request) -> Response:
        rules = self._rules(request)
        if rules is None:
            return problem(404, "Branch not protected")
        url = str(request.url)
        shown: dict[str, Any] = {"url": url}
        for name, value in rules.items():
            if isinstance(value, bool):
                shown[name] = {"url": f"{url}/{name}", "enabled": value}
            elif value is not None:
                shown[name] = {"url": f"{url}/{name}", **value}
        return JSONResponse(shown)

    async def _protect(self, request: Request) -> Response:
        rules = await request.json()
        wanted = ("required_status_checks", "enforce_admins", "required_pull_request_reviews",
                  "restrictions")  # fmt: skip
        missing = [name for name in wanted if name not in rules]
        if missing:
            return problem(422, f"Invalid request.\n\n{missing[0]!r} wasn't supplied.")
        self._keep(request, rules)
        return await self._protection(request)

    async def _admins(self, request: Request) -> Response:
        rules = self._rules(request)
        if rules is None:
            return problem(404, "Branch not protected")
        return JSONResponse({"url": str(request.url), "enabled": rules["enforce_admins"]})

    async def _enforce(self, request: Request) -> Response:
        return self._enforced(request, on=True)

    async def _spare(self, request: Request) -> Response:
        return self._enforced(request, on=False)

    def _enforced(self, request: Request, *, on: bool) -> Response:
        rules = self._rules(request)
        if rules is None:
            return problem(404, "Branch not protected")
        self._keep(request, {**rules, "enforce_admins": on})
        return (
            JSONResponse({"url": str(request.url), "enabled": True}) if on else Response(None, 204)
        )

    # ── rulesets ───────────────────────────────────────────────────────────────────────────

    @property
    def _rulesets(self) -> list[dict[str, Any]]:
        """Each with id, branches, rules (GitHub's kinds) and who may pass: never, always, ...

        One of tags has the refs that it is about as ``tags``, and those that it is ``not``;
        ``hidden`` are the fields that the list of all does not tell.
        """
        found: list[dict[str, Any]] = self._hub.store.load("rulesets", [])
        kind = self._hub.store.fault("github.ruleset")
        if kind is not None:
            found.append({"id": 4711, "branches": [], "rules": [kind or "pull_request"],
                          "bypass": "never"})  # fmt: skip
        return found

    async def _active_rules(self, request: Request) -> Response:
        """Source: GitHub's "Get rules for a branch"; the branch need not exist."""
        found = [
            {"type": kind, "ruleset_source_type": "Repository",
             "ruleset_source": "python/cpython", "ruleset_id": each["id"]}
            for each in self._rulesets
            if "tags" not in each
            if not each["branches"] or request.path_params["branch"] in each["branches"]
            for kind in each["rules"]
        ]  # fmt: skip
        return page_of(request, found)

    async def _ruleset(self, request: Request) -> Response:
        """Source: GitHub's "Get a repository ruleset"."""
        for each in self._rulesets:
            if each["id"] == request.path_params["id"]:
                refs = each.get("tags") or [f"refs/heads/{name}" for name in each["branches"]]
                return JSONResponse(
                    {**_listed(each), "current_user_can_bypass": each["bypass"],
                     "conditions": {"ref_name": {"include": refs or ["~ALL"],
                                                 "exclude": each.get("not", [])}},
                     "rules": [{"type": kind} for kind in each["rules"]]}
                )  # fmt: skip
        return problem(404, "Not Found")

    async def _all_rulesets(self, request: Request) -> Response:
        """Source: GitHub's "Get all repository rulesets", which tells little of each."""
        wanted = request.query_params.get("targets", "branch,tag,push").split(",")
        found = [(each.get("hidden", []), _listed(each)) for each in self._rulesets]
        return page_of(request, [
            {name: value for name, value in each.items() if name not in hidden}
            for hidden, each in found
            if each["target"] in wanted
        ])  # fmt: skip

    async def _make_ruleset(self, request: Request) -> Response:
        """Source: GitHub's "Create a repository ruleset"."""
        asked = await request.json()
        refs = asked.get("conditions", {}).get("ref_name", {}).get("include", [])
        if not asked.get("name") or asked.get("enforcement") not in ("active", "disabled"):
            return problem(422, "Validation Failed")
        known: list[dict[str, Any]] = self._hub.store.load("rulesets", [])
        administrators = {"actor_id": 5, "actor_type": "RepositoryRole", "bypass_mode": "always"}
        passes = administrators in asked.get("bypass_actors", [])
        made = {
            "id": max((each["id"] for each in known), default=100) + 1,
            "name": asked["name"],
            "branches": [ref.removeprefix("refs/heads/") for ref in refs],
            "rules": [rule["type"] for rule in asked.get("rules", [])],
            "bypass": "always" if passes else "never",
        }
        self._hub.store.save("rulesets", [*known, made])
        return JSONResponse({"id": made["id"], "name": made["name"]}, 201)

    async def _delete_ruleset(self, request: Request) -> Response:
        known: list[dict[str, Any]] = self._hub.store.load("rulesets", [])
        kept = [each for each in known if each["id"] != request.path_params["id"]]
        if kept == known:
            return problem(404, "Not Found")
        self._hub.store.save("rulesets", kept)
        return Response(None, 204)


def _listed(ruleset: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": ruleset["id"],
        "name": _name_of(ruleset),
        "target": "tag" if "tags" in ruleset else "branch",
        "source_type": "Repository",
        "source": "python/cpython",
        "enforcement": ruleset.get("enforcement", "active"),
    }


def _name_of(ruleset: Mapping[str, Any]) -> str:
    return str(ruleset.get("name", "release branches"))
