"""Templates: the Templates port over Jinja2 and the texts that come with this tool."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.errors import ServiceFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PackagedTemplates"]

_FOLDER: Final = Path(__file__).parent / "texts"


class PackagedTemplates:
    """The Templates port; ``folder`` holds ``<name>.j2`` for each text."""

    def __init__(self, folder: Path = _FOLDER) -> None:
        self._folder = folder
        self._opened: Any = None

    def __repr__(self) -> str:
        return "templates"

    def fill(self, name: str, words: Mapping[str, object]) -> str:
        """See the port. Ends with one line break; no spaces at line ends, no two blank lines."""
        import jinja2

        if self._opened is None:
            self._opened = jinja2.Environment(
                loader=jinja2.FileSystemLoader(self._folder),
                undefined=jinja2.StrictUndefined,
                autoescape=False,  # noqa: S701 - mails and Markdown, never HTML
                keep_trailing_newline=True,
            )
        try:
            text = self._opened.get_template(f"{name}.j2").render(words)
        except jinja2.TemplateError as error:
            raise ServiceFailed(
                service="templates",
                action=f"fill {name}",
                problem=str(error),
                remedy=f"see {name}.j2",
            ) from error
        lines = "\n".join(line.rstrip() for line in text.strip().splitlines())
        return re.sub(r"\n{3,}", "\n\n", lines) + "\n"
