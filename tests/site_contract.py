"""The site that a contract test asks: the simulated one, or a copy of the real application.

``PEP101_TEST_SITE`` names the address of a running python/pythondotorg on this machine, as in
``PEP101_TEST_SITE=http://127.0.0.1:8000``; it wants the people of ``tests.site_world`` (users rm,
guest and gone with their tokens), the five operating systems, and a throttle that lets guests
through. What a test makes there it deletes again. python.org itself is never asked: only an
address of this machine is taken.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import httpx

from tests.site_world import PASSWORD, TOKEN

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

__all__ = ["V2", "Application", "base_of_real"]

V2: Final = "/api/v2/downloads"
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


def base_of_real() -> str:
    """The address of a copy of the real application; "" if the simulated one is asked."""
    base = os.environ.get("PEP101_TEST_SITE", "").rstrip("/")
    if base and urlsplit(base).hostname not in _LOOPBACK:
        message = f"PEP101_TEST_SITE={base}: only an application on this machine is tested"
        raise ValueError(message)
    return base


@dataclass
class Application:
    """An application at ``base``, and what a test made there."""

    base: str
    is_real: bool
    staff: httpx.Client = field(init=False)
    anybody: httpx.Client = field(init=False)
    _made: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        self.staff = self.client(TOKEN)
        self.anybody = self.client("")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for path in reversed(self._made):
            self.staff.delete(path)
        self.staff.close()
        self.anybody.close()

    def client(self, token: str) -> httpx.Client:
        """Somebody with this token, or a guest."""
        headers = {"Authorization": f"Token {token}"} if token else {}
        return httpx.Client(base_url=self.base, headers=headers, timeout=60)

    def post(self, kind: str, content: object) -> httpx.Response:
        """Ask for a new row as staff; one that is made is deleted at the end of the test."""
        answer = self.staff.post(f"{V2}/{kind}/", json=content)
        if answer.status_code == httpx.codes.CREATED:
            self._made.append(urlsplit(answer.json()["resource_uri"]).path)
        return answer

    def release(self, number: str, **more: Any) -> str:
        """The path of a new release, a draft unless ``more`` says otherwise."""
        slug = f"python-{number.replace('.', '')}"
        answer = self.post("release", {"name": f"Python {number}", "slug": slug, **more})
        assert answer.status_code == httpx.codes.CREATED, answer.text
        return urlsplit(str(answer.json()["resource_uri"])).path

    def system(self, slug: str) -> str:
        """The address of an operating system."""
        found = self.staff.get(f"{V2}/os/", params={"slug": slug}).json()
        return str(found[0]["resource_uri"])

    def file(self, release: str, name: str, system: str = "source", **more: Any) -> dict[str, Any]:
        """A row as it is sent."""
        slug = f"{release.split('/')[-2]}-{name}"
        url = f"https://www.python.org/ftp/python/contract/{slug}"
        fields = {"name": name, "slug": slug, "url": url, "release": release}
        return {**fields, "os": self.system(system), **more}

    def add(self, release: str, name: str, system: str = "source", **more: Any) -> str:
        """The path of a new row."""
        answer = self.post("release_file", self.file(release, name, system, **more))
        assert answer.status_code == httpx.codes.CREATED, answer.text
        return urlsplit(str(answer.json()["resource_uri"])).path

    def logged_in(self) -> httpx.Client:
        """A browser with a session in the admin."""
        browser = httpx.Client(base_url=self.base, timeout=60)
        browser.get("/admin/login/")
        form = {
            "csrfmiddlewaretoken": browser.cookies["csrftoken"],
            "username": "rm",
            "password": PASSWORD,
            "next": "/admin/",
        }
        answer = browser.post("/admin/login/", data=form)
        assert answer.status_code == httpx.codes.FOUND, answer.text
        return browser
