"""Templates: the texts that come with this tool, filled in by Jinja2."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from plugins.model.errors import ServiceFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jinja2 import Environment

__all__ = ["PackagedTemplates"]


class PackagedTemplates:
    """The Templates port over the folder beside this module: ``page.md`` is ``page.md.j2``."""

    def __repr__(self) -> str:
        return "PackagedTemplates()"

    def fill(self, name: str, words: Mapping[str, object]) -> str:
        """The text, which ends with one line break."""
        import jinja2

        try:
            text = self._environment.get_template(f"{name}.j2").render(words)
        except jinja2.TemplateError as error:
            raise ServiceFailed(
                service="templates",
                action=f"fill {name}",
                problem=str(error).partition("\n")[0],
                remedy="this is a mistake of the template or of who fills it",
            ) from error
        return text.strip("\n") + "\n"

    @cached_property
    def _environment(self) -> Environment:
        import jinja2

        return jinja2.Environment(
            loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
            undefined=jinja2.StrictUndefined,
            # Texts are Markdown and mail, never HTML of our own.
            autoescape=False,  # noqa: S701
            trim_blocks=False,
            keep_trailing_newline=True,
        )
