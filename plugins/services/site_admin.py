"""The site's admin, used as a person would: log in, open a release's form, save all of it.

A form saves everything that is in it and switches off what is missing, so all fields go back as
they came but the two that belong to the text.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urlsplit

from doit_receipts.printable import printable
from plugins.services.bounds import Bounds
from plugins.services.http_client import HttpClient
from plugins.services.site_fields import admin_path

if TYPE_CHECKING:
    import httpx

    from plugins.model.secret import Secret

__all__ = ["SiteAdmin"]

_LOGIN: Final = "/admin/login/"
_OK: Final = 200
_FORBIDDEN: Final = 403
_RIGHT: Final = (
    "ask the site's administrators for the right to change releases, or take site_admin out of "
    "[credentials] and save the text by hand"
)


class SiteAdmin:
    """One session in the admin."""

    def __init__(self, base: str, secret: Secret, *, timeout_s: float) -> None:
        self._base = base
        self._secret = secret
        self._client = HttpClient(
            f"{urlsplit(base).netloc} admin", base, bounds=Bounds(silence_s=timeout_s),
            hidden=lambda: secret.reveal().partition(":")[::2],
        )  # fmt: skip
        self._client.tells_acts = False  # saving a text is one act, for which one has to log in

    def close(self) -> None:
        """The session is forgotten."""
        self._client.close()

    def may_save(self, release: str) -> None:
        """Logged in, and the form of this release can be saved; nothing is saved.

        Without a release ("") only the list of all releases is opened, which the right opens as
        well. Raises ServiceFailed for a person without it.
        """
        self._log_in(admin_path(release))
        page = self._opened(admin_path(release))
        if release and "_save" not in dict(self._form(page, "content")):
            self._client.fail("open the form", "the form has no button to save it", _RIGHT)

    def save_text(self, release: str, text: str, markup: str) -> None:
        """The text of the release with this key is saved."""
        path = admin_path(release)
        self._log_in(path)
        form = self._form(self._opened(path), "content")
        fields = [(name, value) for name, value in form if name not in _TEXT]
        # One button is pressed; which others the form has does not matter.
        fields = [(name, value) for name, value in fields if not name.startswith("_")]
        # As browsers send the line breaks of a text area.
        fields.append(("content", text.replace("\r\n", "\n").replace("\n", "\r\n")))
        fields += [("content_markup_type", markup), ("_save", "Save")]
        answer = self._ask("POST", path, "save the text", fields)
        if answer.status_code != 302:
            remedy = f"open {self._base}{path} in a browser to see why"
            self._client.fail("save the text", "the site did not accept the form", remedy)

    def _opened(self, path: str) -> httpx.Response:
        """The page of a form, which only who has the right to change releases may open."""
        answer = self._client.send("GET", path, "open the form", again=True, also=(302, 403))
        if answer.status_code == _FORBIDDEN:
            problem = "the user of [credentials] site_admin may not change releases"
            self._client.fail("open the form", problem, _RIGHT)
        if answer.status_code != _OK:
            leads_to = printable(answer.headers.get("location", "")[:200])
            self._client.fail(
                "open the form", f"{path} redirects to {leads_to}: the release does not exist"
            )
        return answer

    def _log_in(self, path: str) -> None:
        page = self._ask("GET", f"{_LOGIN}?next={path}", "log in")
        form = self._form(page, "username")
        fields = [(name, value) for name, value in form if name not in _LOGGING_IN]
        user, separator, password = self._secret.reveal().partition(":")
        if not separator:
            self._client.fail(
                "log in", "the secret has no colon", "set [credentials] site_admin to user:password"
            )
        fields += [("username", user), ("password", password)]
        answer = self._ask("POST", f"{_LOGIN}?next={path}", "log in", fields)
        if answer.status_code != 302:
            remedy = (
                "check [credentials] site_admin, the user and password of a member of the staff;"
                " without it the text is saved by hand"
            )
            self._client.fail("log in", "the site did not accept user and password", remedy)

    def _ask(
        self, method: str, path: str, action: str, fields: list[tuple[str, str]] | None = None
    ) -> httpx.Response:
        content = None if fields is None else urlencode(fields)
        kind = {"Content-Type": "application/x-www-form-urlencoded"} if content else {}
        # Django wants to see that a form of its own was sent.
        headers = {"Referer": f"{self._base}{path}", **kind}
        # A save is answered by a redirect to the list, which need not be seen.
        return self._client.send(
            method, path, action, again=method == "GET", also=(302,) if fields else (),
            content=content, headers=headers,
        )  # fmt: skip

    def _form(self, answer: httpx.Response, wanted: str) -> list[tuple[str, str]]:
        reader = _Forms()
        reader.feed(answer.content.decode(errors="replace"))
        for form in reader.forms:
            if any(name == wanted for name, _ in form):
                return form
        problem = f"the page has no form with a field {wanted}"
        action, remedy = "read a form", "save the text by hand"
        raise self._client.failed(action, problem, remedy)


_TEXT: Final = ("content", "content_markup_type")
_LOGGING_IN: Final = ("username", "password")


@dataclass
class _Selected:
    """A select or text area that is being read."""

    name: str
    value: str | None = None
    first: str | None = None
    text: list[str] = field(default_factory=list)
    is_text: bool = False


class _Forms(HTMLParser):
    """Every form of a page as the fields that a browser would send if nothing was touched."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[list[tuple[str, str]]] = []
        self._inside = False
        self._open: _Selected | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append([])
            self._inside = True
        elif tag == "option" and self._open is not None:
            value = known.get("value", "")
            self._open.first = value if self._open.first is None else self._open.first
            if "selected" in known:
                self._open.value = value
        if not self._inside or "disabled" in known or not known.get("name"):
            return
        if tag == "input":
            self._input(known)
        elif tag in ("select", "textarea"):
            self._open = _Selected(known["name"], is_text=tag == "textarea")

    def _input(self, known: dict[str, str]) -> None:
        kind = known.get("type", "text").lower()
        if kind in ("checkbox", "radio"):
            if "checked" in known:
                self.forms[-1].append((known["name"], known.get("value", "on")))
        elif kind not in ("file", "image", "reset", "button"):
            self.forms[-1].append((known["name"], known.get("value", "")))

    def handle_data(self, data: str) -> None:
        if self._open is not None and self._open.is_text:
            self._open.text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        if self._open is None or tag not in ("select", "textarea"):
            return
        done, self._open = self._open, None
        if done.is_text:
            # The first line break of a text area belongs to the page and not to the text.
            self.forms[-1].append((done.name, "".join(done.text).removeprefix("\n")))
        elif done.value is not None or done.first is not None:
            self.forms[-1].append((done.name, done.value or done.first or ""))
