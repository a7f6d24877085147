"""GitHub of the simulated environment: what its subjects share, a document and forms of answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from starlette.responses import JSONResponse, Response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from starlette.requests import Request

    from plugins.rehearsal.store import Store

    Handler = Callable[[Request], Awaitable[Response]]
    Route = tuple[str, str, Handler]

__all__ = ["REPOSITORY", "TOKEN", "Hub", "page_of", "problem", "repository_of"]

TOKEN: Final = "rehearsal-github-token"  # noqa: S105 - valid in the simulated environment only
REPOSITORY: Final = "/repos/{owner}/{repo}"


class Hub:
    """The document ``github`` of the store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    @property
    def document(self) -> dict[str, Any]:
        """All of it, as it is now."""
        found: dict[str, Any] = self.store.load("github", {"token": TOKEN})
        return found

    def save(self, **more: Any) -> None:
        """Parts of it are these."""
        self.store.save("github", {**self.document, **more})


def problem(status: int, message: str, **more: Any) -> Response:
    """An error in GitHub's form."""
    content = {"message": message, "documentation_url": "https://docs.github.com/rest",
               "status": str(status), **more}  # fmt: skip
    return JSONResponse(content, status)


def page_of(
    request: Request, found: Sequence[dict[str, Any]], key: str = "", **more: Any
) -> Response:
    """The part of a list that was asked for, with a link to the next one."""
    size = min(int(request.query_params.get("per_page", "30")), 100)
    page = int(request.query_params.get("page", "1"))
    part = found[(page - 1) * size : page * size]
    answer = JSONResponse({"total_count": len(found), **more, key: part} if key else part)
    if page * size < len(found):
        url = request.url.include_query_params(page=page + 1)
        answer.headers["link"] = f'<{url}>; rel="next"'
    return answer


def repository_of(request: Request) -> str:
    """Such as ``python/cpython``."""
    return "{owner}/{repo}".format(**request.path_params)
