"""Accidents of a release day: mail. What a person reads, and what is so.

In none is anything lost, doubled or announced wrongly: when it is over, the next ``doit publish``
ends as a day without it, to the byte.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.publish.cases import assert_told, ends_alike
from tests.publish.day import WAITING

if TYPE_CHECKING:
    from tests.publish.cases import Observed
    from tests.publish.walk import Walk

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("task", ["mail_list", "mail_dev", "tell_experts"])
@pytest.mark.parametrize(
    ("fault", "word"), [("mail.drop_after_accept", "adopt"), ("mail.drop_before", "retry")]
)
def test_mail_whose_answer_never_came(
    walk: Walk, observed: Observed, task: str, fault: str, word: str
) -> None:
    """Nobody can look, so a person is asked, and says which of the two it was."""
    day = walk.day
    day.restore(task)
    day.order(fault)
    line = assert_told(day.publish(), task, "may have been sent or not")
    day.wait_for_experts()
    asked = day.publish()
    question = assert_told(asked, task, f"doit adopt {task}", f"doit retry {task}", status=WAITING)
    assert day.answer_mail(task, asked) == word
    ends_alike(walk)
    told = "accepts and drops" if word == "adopt" else "drops before it accepts"
    observed(f"mail server {told}, {task}", f"{line} | then {question[:40]}… asks: doit {word}")


def test_mail_that_is_refused(walk: Walk, observed: Observed) -> None:
    """A letter that was refused outright was not sent: the next run sends it, nobody is asked."""
    day = walk.day
    day.restore("mail_list")
    day.order("mail.refuses")
    line = assert_told(day.publish(), "mail_list", "550")
    ends_alike(walk)
    observed("mail server refuses the letter", line)
