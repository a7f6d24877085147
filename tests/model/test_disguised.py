"""Texts that read differently from what they are, and texts that are what they seem."""

from __future__ import annotations

import pytest

from plugins.model.disguised import disguises, unseen_characters


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Get \u202eexe.6.31.3\u202c", "U+202E (right-to-left override) in line 1"),
        ("a\n\u2066b\u2069", "U+2066 (left-to-right isolate) in line 2"),
        ("a\u200fb", "U+200F (right-to-left mark)"),
        ("a\x9b31mb", "U+009B (a control character)"),
        ("a\x7fb", "U+007F (a control character)"),
        ("a\x1b[31mb", "U+001B"),
        ("py\u200dthon", "U+200D (zero width joiner)"),
        ("py\u200bthon", "U+200B (zero width space)"),
        ("py\xadthon", "U+00AD (soft hyphen)"),
        ("a\u2028b", "U+2028 (line separator)"),
        ("a\u3164b", "U+3164 (hangul filler)"),
        ("a\U000e0041b", "U+E0041"),
        ("a&#x202e;b", "U+202E"),
        ("a&#8238;b", "U+202E"),
        ("p\u0443thon.org", "a word of two alphabets: 'p\\u0443thon'"),
        ("https://www.\u0440\u0443thon.org/x", "an address that is not ASCII"),
        ("<script>x</script>", "has HTML, which is not shown as it is written: <script"),
        ("<SCRIPT SRC=x>", "has HTML"),
        ("<img src=x onerror=y>", "has HTML"),
        ("<b onclick='x'>now</b>", "has HTML"),
        ("<br/onload=x>", "has HTML"),
        ("<span style='display:none'>no</span>", "has HTML"),
        ("<a href='https://evil.example'>python.org</a>", "has HTML"),
        ("<svg/onload=x>", "has HTML"),
        ("<details>x", "has HTML"),
        ("a <!-- hidden -->", "has HTML"),
        ("a <script", "has HTML"),
        (
            "[https://www.python.org/x](https://evil.example/x)",
            "has a link that reads python.org and leads to evil.example",
        ),
        ("[www.python.org](https://python.org.evil.example/)", "leads to python.org.evil.example"),
        (
            "[https://www.python.org/](https://www.python.org@evil.example/)",
            "leads to evil.example",
        ),
        ("[www.python.org](https://www.python.org:x@evil.example/)", "leads to evil.example"),
        ("[www.python.org](//evil.example/)", "leads to evil.example"),
        ("[www.python.org](///evil.example/)", "leads to evil.example"),
        ("[www.python.org](\\\\evil.example/)", "leads to evil.example"),
        ("[www.python.org](https:/evil.example/)", "leads to evil.example"),
        ("[www.python.org](HTTPS://EVIL.example:443/)", "leads to evil.example"),
        ("[www.python.org](https://evil.example?www.python.org)", "leads to evil.example"),
        ("[www.python.org](/\\evil.example/)", "leads to evil.example"),
        ("[https://www.python.org/](https://[::1]/)", "leads to ::1"),
        ("[https://www.python.org/](https://[/)", "leads to //[/"),
        (
            "See [www.python.org][1].\n\n[1]: https://evil.example/x",
            "reads python.org and leads to evil.example",
        ),
        (
            "[https://www.python.org/]\n\n[HTTPS://www.python.org/]: <//evil.example>",
            "leads to evil.example",
        ),
        ("[www.python.org][]\n\n[www.python.org]:\n  https://evil.example", "leads to evil"),
        ("[python.org](https://evil.example/)", "reads python.org and leads to evil.example"),
        ("[the docs.python.org page](https://evil.example/)", "leads to evil.example"),
        ("[[www.python.org]](https://evil.example/)", "leads to evil.example"),
        ("`www.python.org <https://evil.example/>`_", "leads to evil.example"),
        ("`python.org <https://evil.example/>`__", "leads to evil.example"),
        ("[here](javascript:alert(1))", "has a link to javascript:"),
        ("[here][x]\n\n[x]: data:text/html;base64,x", "has a link to data:"),
        ("<https://www.python.org@evil.example/>", "a user's name before the host"),
        ("https://www.python.org:x@evil.example/", "a user's name before the host"),
        ("\u03a1ython", "a word of two alphabets"),
        ("\u039cake", "a word of two alphabets"),
        ("[https://docs.python.org/](/downloads/)", "reads docs.python.org and leads to"),
        ("[x](<javascript: alert(1)>) ", "has a link to javascript:"),
        ("[x](javascript:alert(1) 'a title')", "has a link to javascript:"),
        ("[x][y]\n\n[y]: javascript:alert(1) (a title)", "has a link to javascript:"),
        ("[www.python.org](https://evil.example/" + "x" * 3000 + ")", "leads to evil.example"),
        ("[python.org][^1]\n\n[^1]: https://evil.example/", "leads to evil.example"),
        ("[`python.org`](https://evil.example/)", "leads to evil.example"),
        ("[`https://peps.io/`](https://evil.example/)", "leads to evil.example"),
        ("[pages.github.io](https://evil.example/)", "leads to evil.example"),
        *(
            (each.replace("LIE", "[python.org](https://evil.example/)"), "leads to evil.example")
            for each in (
                "a ``` b\n\nLIE\n\n```",
                "\\`LIE\\`",
                "&#96;LIE&#96;",
                "\\`` a `LIE` b`",
                "`a\nb` LIE `c`",
                "a `\n# LIE `",
                "- a\n  ```\nLIE\n```",
                "<br>\n```\n\nLIE\n```",
                "~~~\r~~~\rLIE",
                "<https://docs.python.org/`> LIE `",
                "~~~ `\nx\n~~~\nLIE",
                " ```\n```\nLIE",
                "<b> x\n```\n\n```\nLIE",
                "```\n   ```\nLIE\n```\n```",
                "``` `\nLIE\n```",
                "|a|b|\n|-|-|\n| ` | a ` b ` LIE ` c |",
                "```x\n``` LIE\n```\nLIE",
            )
        ),
    ],
)
def test_text_that_reads_differently_from_what_it_is_is_told(text: str, problem: str) -> None:
    assert any(problem in each for each in disguises(text)), disguises(text)


@pytest.mark.parametrize(
    "text",
    [
        "Thanks to \u0141ukasz Langa, \u5b8f\u4e00 and \u0419\u043e\u0440\u0434\u0430\u043d.",
        "\U0001f469\u200d\U0001f4bb and \U0001f389\ufe0f, 10\u00a0% faster",
        "5 \u03bcs, 3 \u00b5s, \u2013 dash",
        "\u0394t, 5 k\u03a9, \u03a3x, \u03a6x, 2\u03c0r",
        "[www.python.org](/downloads/) [https://www.python.org:443/x](//www.python.org/x)",
        "[www.python.org](https://WWW.python.org./x?next=https://other.example/)",
        "Write `<script>` or ``a <b c`` or\n```\n<script>\n```\n",
        "<https://docs.python.org/3.13/> and <rm@python.org>, a < b, x <3",
        "[Windows][w], [x][], [1] and [y]\n\n[w]: https://www.python.org/ftp/\n[x]: /downloads/",
        "[python.org](https://docs.python.org/3/) [rm@python.org](mailto:rm@python.org)",
        "[Python.org's forum](https://discuss.python.org/c/core@dev) https://x.org/@me?a=b@c",
        "`PEP 745 <https://peps.python.org/pep-0745/>`_, `Doc/conf.py`, [i](doc.rst#a:b)",
        "one<br>two<br />three H<sub>2</sub>O <kbd>x</kbd>",
        "[https://www.python.org/x](https://python.org/x) [here](https://github.com/python)",
        "[PEP 719](https://peps.python.org/pep-0719/), [the page](/downloads/) for Node.js\r\n\tx",
        "def max[T](args: Iterable[T]) -> T: ...\n\n    def f[T](data: T): ...",
        "```python\ndef max[T](args:T) -> T:\n    funcs[i](key:int)\n```\n",
        "~~~\nfuncs[i](key:int)\n[a]: data:x\n~~~\n\n```\n[x](key:int)",
        "Call `funcs[i](key:int)`, `funcs[i](key: int)` and ``a`b[i](key:int) | None``.",
        "Faster[^1] and smaller.[^note]\n\n[^1]: Note: on Linux.\n[^note]: Note:\n    on macOS.",
        "[^1]\n\n[^1]: gh:1",
        "[`logging.info()`](https://docs.python.org/3/library/logging.html)",
        "[`x.io`](https://github.com/python/cpython) [logging.info](https://docs.python.org/3/)",
        "[Python 3.15.0.dev](https://github.com/python/cpython) [3.15.0.dev](/downloads/)",
    ],
)
def test_text_that_is_what_it_seems_is_left_alone(text: str) -> None:
    assert disguises(text) == ()


def test_each_character_is_named_once() -> None:
    assert len(list(unseen_characters("\u202e\u202e\n\u202e\u202c"))) == 2


def test_long_texts_are_judged_in_no_time() -> None:
    for piece in (
        "<a ",
        "[",
        "`",
        "[a](",
        "a\u0430",
        "a",
        "&#",
        "http://",
        "<",
        "www.",
        "[a](<",
        "[a]: b",
        "```a\n",
        "` ",
        "a.",
        "\\",
    ):
        disguises(piece * 200_000)
