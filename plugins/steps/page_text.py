"""Page text: the approved words on a release's page, saved by the admin or a person (W03, W05).

The API cannot write them. That the page has them is known by a mark at their end: an empty
element that names their digest, which the site's sanitizer leaves alone.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

from doit_receipts.durable import write_whole
from doit_receipts.errors import StepFailed, Waiting
from doit_receipts.probe import absent, different, identical, unknown
from plugins.model.published_file import SITE
from plugins.steps.site_release import the_release

if TYPE_CHECKING:
    from pathlib import Path

    from doit_receipts.probe import Probe
    from plugins.model.contract import Contract
    from plugins.ports.progress import Progress
    from plugins.ports.site import Site, SiteReader

__all__ = ["look_text", "marked", "put_text"]

_MARK: Final = re.compile(r'<span id="text-([0-9a-f]{32})"')
_MARKUP: Final = "markdown"


def marked(text: str) -> str:
    """The text with the mark of its digest as its last line."""
    body = text.replace("\r\n", "\n").rstrip("\n")
    digest = hashlib.sha256(body.encode()).hexdigest()
    return f'{body}\n\n<span id="text-{digest[:32]}"></span>\n'


def look_text(contract: Contract, text: Path, site: SiteReader) -> Probe:
    """Whether the page has exactly this text, by its mark.

    Without a draft of the release there is no page yet, and nothing is wrong.
    """
    wanted = _marked(text)
    page = site.page(contract.page.slug)
    if page is None:
        return unknown(
            "the site has no page for this release", f"look at {contract.page.url} in a browser"
        )
    mark = _mark(wanted)
    found = _MARK.findall(page)
    if found == [mark]:
        return identical({"page": contract.page.url, "text": mark})
    marks = f"the page has {' and '.join(found) or 'no mark'}, the approved text has {mark}"
    if the_release(contract, site).is_published and found:
        return different(
            "the public page has another text than the approved one",
            f"compare {contract.page.url} with {text.name}, and save the right one in the admin",
            (marks,),
        )
    return absent("the page does not have the approved text", (marks,))


def put_text(contract: Contract, text: Path, site: Site, progress: Progress) -> dict[str, str]:
    """The page has the text, in Markdown. Raises Waiting for the RM where only a person may save.

    What has to be saved, with its mark, is then in ``<name>.to-paste.md`` beside the text.
    """
    whole = _marked(text)
    release = the_release(contract, site)
    if site.saves_texts:
        progress.say(f"saving the text of {release.name}")
        site.save_text(release, whole, _MARKUP)
        return {}
    paste = text.with_name(f"{text.stem}.to-paste{text.suffix}")
    write_whole(paste, whole.encode())
    number = release.address.rstrip("/").rpartition("/")[2]
    raise Waiting(
        who="RM",
        problem="the page's text has to be saved in the site's admin, because the API cannot "
        "write it",
        remedy=f"open {SITE}/admin/downloads/release/{number}/change/, put all of"
        f" {paste.parent.name}/{paste.name} into Content, choose {_MARKUP}, save,"
        " then run the same command again",
    )


def _marked(text: Path) -> str:
    try:
        return marked(text.read_bytes().decode())
    except FileNotFoundError:
        raise StepFailed(
            where=text.name,
            problem="does not exist",
            remedy="run doit settle_page, then approve the text",
        ) from None
    except UnicodeDecodeError as error:
        raise StepFailed(
            where=text.name, problem="is not UTF-8", remedy="save it as UTF-8"
        ) from error


def _mark(whole: str) -> str:
    return str(_MARK.findall(whole)[-1])
