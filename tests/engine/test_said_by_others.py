"""What others wrote reaches no terminal as it is: names, subjects, answers of services."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.engine.conftest import Project

HOSTILE = '''
@plan.step()
def task_ask_others():
    """Ask others."""
    said = "red \\x1b[31m \\x9b31m \\u202eexe.cod\\u2066 \\u200b\\r\\nnext: eve"
    return call(lambda: {"subject": said})

@plan.group(of=[task_ask_others])
def task_export():
    """Everything local."""
'''


def test_a_fact_that_others_wrote_is_spelled_out(project: Project) -> None:
    project.declare(HOSTILE)
    assert project.doit("export").status == 0
    for words in (("why", "ask_others"), ("list", "--status", "--all"), ("report", "--markdown")):
        said = project.doit(*words).out
        assert all(line.isprintable() for line in said.split("\n")), (words, ascii(said))
    assert "subject: red \\x1b[31m \\x9b31m \\u202eexe.cod" in project.doit("why", "ask_others").out
    project.doit("report")
    page = (project.work / "report.html").read_text(encoding="utf-8")
    assert "exe.cod" in page
    assert all(line.isprintable() for line in page.split("\n"))
