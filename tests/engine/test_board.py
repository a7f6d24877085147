"""The board: who is answered, with what, and what cannot be done with it."""

from __future__ import annotations

import http.client
import json
import re
import socket
import threading
from contextlib import closing, suppress
from threading import Thread
from typing import TYPE_CHECKING, Final

import pytest

from doit_receipts.board import Board
from doit_receipts.calls import call
from doit_receipts.runner import situation
from doit_receipts.state import Outcome, State
from tests.engine.released_thing import do, released
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from doit_receipts.calls import Call
    from doit_receipts.plan import Plan
    from tests.engine.conftest import Project

LARGE: Final = 1 << 25


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """A release of which nothing is done."""
    return released(tmp_path)


@pytest.fixture
def board(plan: Plan) -> Iterator[Board]:
    """A board that answers."""
    yield from serving(Board(plan))


def serving(made: Board) -> Iterator[Board]:
    """It answers until it has been given back."""
    thread = Thread(target=made.serve, daemon=True)
    thread.start()
    yield made
    made.close()
    thread.join()


def asked(board: Board, path: str, method: str = "GET", host: str = "") -> tuple[int, str]:
    """What the board answers: the status, and the body."""
    server = http.client.HTTPConnection(board.names()[0], timeout=20)
    with closing(server):
        server.request(method, path, headers={"Host": host} if host else {})
        answer = server.getresponse()
        assert answer.getheader("cache-control") in ("no-store", None)
        return answer.status, answer.read().decode()


def test_who_has_the_address_sees_the_release(board: Board) -> None:
    status, text = asked(board, f"/{board.token}/")
    assert status == 200
    assert "0 of 5 tasks are done" in text
    assert board.token not in text
    assert "connect-src 'self'" in text


def test_what_changed_is_told_and_what_did_not_is_not(board: Board, tmp_path: Path) -> None:
    path = f"/{board.token}/now"
    status, text = asked(board, path)
    first = json.loads(text)
    assert status == 200
    do(released(tmp_path), "make_a")
    board.forget()
    then = json.loads(asked(board, f"{path}?{first['mark']}")[1])
    assert then["mark"] != first["mark"]
    assert "1 of 5 tasks is done" in then["html"]


def test_what_extra_inputs_give_is_asked_anew_but_not_for_each_change(tmp_path: Path) -> None:
    """For that programs may have to run; what the files say is shown at once in any case."""
    asked_for: list[int] = []

    def outside() -> str:
        asked_for.append(1)
        return "as it is"

    plan = released(tmp_path)

    @plan.step(extra_inputs={"outside": call(outside)})
    def look_outside() -> Call:
        """Look at it."""
        return call(dict)

    do(plan, "look_outside")
    board = Board(plan)
    board._server.server_close()
    board.now()
    asked_for.clear()
    for _ in range(3):
        board.forget()
        plan.context.journal.append("noted")
        board.now()
    assert len(asked_for) <= 1
    board._asked_s = 0.0
    board.forget()
    board.now()
    assert len(asked_for) >= 1


def test_the_last_word_of_another_process_is_seen(tmp_path: Path) -> None:
    """Whatever it did to the cache: wrote to it, or made it anew."""
    plan = released(tmp_path)
    board = Board(plan)
    board._server.server_close()
    assert "it broke" not in board.now()[1]
    plan.folder.work.mkdir(parents=True)
    for word in ("it broke", "it broke otherwise"):
        other = State(plan.folder.state)
        inputs = situation(plan, plan.tasks["make_a"])
        other.keep_outcome("make_a", Outcome("failed", inputs, word))
        other.close()
        board.forget()
        plan.context.journal.append("failed", task="make_a")
        assert word in board.now()[1]
        for path in plan.folder.work.glob("state.sqlite3*"):
            path.unlink()


@pytest.mark.parametrize("path", ["/", "/now", "/wrong/", "//", "/../", "/%s", "/%s/other"])
def test_any_other_address_does_not_exist(board: Board, path: str) -> None:
    told = path % board.token if "%" in path else path
    assert asked(board, told) == (404, "there is nothing here\n")


def test_a_foreign_page_that_asks_by_another_name_is_told_nothing(board: Board) -> None:
    """A name that somebody else's server has led to loopback (DNS rebinding)."""
    assert asked(board, f"/{board.token}/", host="evil.example")[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_nothing_can_be_done_with_it(board: Board, method: str) -> None:
    assert asked(board, f"/{board.token}/", method)[0] == 501


class Large(Board):
    """A board whose page no buffer of a connection holds."""

    def page(self) -> str:
        """Nothing but its size."""
        return "x" * LARGE


@pytest.fixture
def large(plan: Plan) -> Iterator[Board]:
    """A board that answers with more than can be sent to whoever does not read."""
    yield from serving(Large(plan))


def test_a_browser_that_never_reads_holds_nobody_up_and_is_left(large: Board) -> None:
    before = set(threading.enumerate())
    with closing(socket.socket()) as silent:
        silent.settimeout(20)
        silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        ask_and_never_read(large, silent)
        wait_until(lambda: set(threading.enumerate()) - before, "it is answered")
        (answering,) = set(threading.enumerate()) - before
        assert asked(large, f"/{large.token}/now")[0] == 200
        assert answering.is_alive()
        wait_until(lambda: not answering.is_alive(), "it is left")
        read = 0
        with suppress(ConnectionError):
            while got := silent.recv(1 << 20):
                read += len(got)
    assert read < LARGE


def ask_and_never_read(board: Board, silent: socket.socket) -> None:
    host, _, port = board.names()[0].partition(":")
    silent.connect((host, int(port)))
    silent.sendall(f"GET /{board.token}/ HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())


def test_it_can_be_started_again_at_its_port_while_a_page_is_open(board: Board, plan: Plan) -> None:
    """A browser keeps its connection, and with it the port is in use for a while."""
    path, port = f"/{board.token}/", int(board.names()[0].partition(":")[2])
    with pytest.raises(OSError, match="in use"):
        Board(plan, port)
    page = http.client.HTTPConnection(board.names()[0], timeout=20)
    with closing(page):
        page.request("GET", path)
        assert page.getresponse().read()
        board.close()
        again = Board(plan, port)
        again._server.server_close()
    assert again.address.startswith(f"http://127.0.0.1:{port}/")


def test_the_focus_stays_where_it_is_at_each_look(board: Board) -> None:
    """What an element of the graph has as a property is an object, the same words for each."""
    _, text = asked(board, f"/{board.token}/")
    script = text.partition("<script>")[2]
    assert 'e.getAttribute("href")' in script
    assert not re.search(r"\.(?:href|className)\b", script)


def test_a_second_board_has_an_address_of_its_own(board: Board, plan: Plan) -> None:
    other = Board(plan)
    other._server.server_close()
    assert other.address != board.address
    assert other.token != board.token


def test_a_port_that_is_taken_is_one_line(project: Project) -> None:
    project.declare("@plan.group(of=[])\ndef export():\n    '''Everything.'''\n")
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        ended = project.doit("board", "--port", str(port))
    assert ended.status == 3
    assert f"port {port} cannot be used: address already in use; leave out --port" in ended.err
    assert "Traceback" not in ended.err
    assert "--port 70000 is no port" in project.doit("board", "--port", "70000").err
