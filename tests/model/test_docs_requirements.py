"""What a tree asks for, for its documentation: nothing by which pip runs a package's own code."""

from __future__ import annotations

import pytest

from doit_receipts.errors import StepFailed
from plugins.model.docs_requirements import gathered, refuse_building

GOOD = """# Requirements to build the Python documentation
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
    ],
)  # fmt: skip
def test_what_would_run_a_packages_own_code_is_refused(line: str) -> None:
    with pytest.raises(StepFailed, match="may run a package's own code") as caught:
        refuse_building({"requirements.txt": f"{GOOD}{line}\nmore\n".encode()})
    assert "\n" not in str(caught.value)


def test_a_file_that_pip_would_decode_otherwise_is_refused() -> None:
    found = gathered({"requirements.txt": "# coding: utf-7\n+AC0ALQ-no-binary evil\n"}.get)
    with pytest.raises(StepFailed, match="utf-7"):
        refuse_building(found)
