"""Article: what a release's page says for itself, out of all that the site puts around it.

From its heading to the end of the table of files: date, words, links, rows with digests. What the
site adds there by itself, when a newer release or the end of life comes, is left out: it has a
fixed form and leads to pages of the site only. Source: templates/downloads/release_detail.html of
python/pythondotorg at 0018d4dc.
"""

from __future__ import annotations

import re
from typing import Final

from plugins.model.content import Content

__all__ = ["article_of"]

_BEGIN: Final = re.compile(r"<h1[\s>]", re.IGNORECASE)
_END: Final = "</table>"
_LINK: Final = r'<a href="/downloads/(?:release/[-\w]{1,80}|latest/python3)/">[^<>]{1,80}</a>'
_NOTE: Final = re.compile(
    r"<(div|p)(?: class=\"[-\w ]{1,60}\")?>\s*(?:<span>)?(?:Note|Warning):(?:</span>)?\s*"
    r"(?:[^<>]{1,80} has been superseded by\s+|"
    r"Python [^<>]{1,40} reached end-of-life[^<>]{1,400})" + _LINK + r"\.\s*</\1>\s*"
)


def article_of(page: str) -> Content | None:
    """The article of a page, with each run of white space as one blank; None if there is none."""
    begin, end = _BEGIN.search(page), page.rfind(_END)
    if begin is None or end < begin.start():
        return None
    found = _NOTE.sub(" ", page[begin.start() : end + len(_END)])
    return Content.of(" ".join(found.split()).encode())
