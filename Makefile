#: make rehearse   a whole release of a toy CPython on this machine, with a throw-away key
#: make test       the tests that need nothing but this machine
#: make test-slow  whole exports and releases: killed, stopped, and out of disk, at every write
#: make test-real  the tests on the real CPython source, which is fetched
#: make check      format, lint and types
#: make setup      what all of these do first, and only once: programs, .venv, packages
#: make lock       renew requirements.lock, which says by hash what is installed
#: make clean      remove .venv and caches; releases under build/ are not touched
#:
#: A fresh machine needs git, gpg, make and Python 3.11 or later; nothing else.
#: PYTHON=python3.13 chooses the Python; ARGS='...' is handed to the command that is run;
#: RANGES=yes installs what pyproject.toml allows, and not what requirements.lock says.

# GNU make 3.81, which macOS ships, has to understand this file.

VENV = .venv
RUN = $(VENV)/bin/python
READY = $(VENV)/ready
LOG = $(CURDIR)/$(VENV).log
# Steps run programs of the packages too, such as sphinx-build and blurb.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.PHONY: help setup rehearse test test-slow test-real check lock clean

help:
	@sed -n 's/^#: \{0,1\}//p' Makefile

setup: $(READY)

rehearse: setup
	@$(RUN) -m doit rehearse $(ARGS)

# Two more than there are cores: many tests wait for programs or for a time-out, and do nothing else.
test: WORKERS = $$(($$(getconf _NPROCESSORS_ONLN) + 2))
test: setup
	@echo 'make: the quick tests, about four minutes on two cores; left out: whole exports and releases,' >&2
	@echo 'make: documentation, kills at every write (make test-slow), the real CPython (make test-real)' >&2
	@$(RUN) -m pytest --numprocesses $(WORKERS) --dist worksteal -m 'not slow and not real' $(ARGS)

# Whole exports of a toy, some of which take minutes: who is done early takes over from others.
test-slow: setup
	@$(RUN) -m pytest --numprocesses auto --dist worksteal -m 'slow and not real' $(ARGS)

test-real: setup
	@$(RUN) tests/real/fetch || [ $$? = 3 ]  # 3: not to be had here, and its tests say so
	@$(RUN) -m pytest -m real $(ARGS)

check: setup
	@$(RUN) -m doit -f tests/dodo.py format lint types

# Only packages whose hashes are in the lock file are ever installed; this renews it, from the ranges.
lock: setup
	@$(RUN) -m pip install --quiet --disable-pip-version-check uv
	@$(RUN) -m uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	    --no-emit-package doit-receipts --extra rehearsal --extra test \
	    --custom-compile-command 'make lock' --output-file requirements.lock \
	    pyproject.toml doit_receipts/pyproject.toml

clean:
	rm -rf $(VENV) $(VENV).log .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info
	find . -name __pycache__ -not -path './build/*' -prune -exec rm -rf {} +

# The environment is made anew when it was left half done, when its Python is gone, and when
# the folder was moved or copied (an editable install knows absolute paths). Where only
# pyproject.toml changed, its packages are brought up to date in place.
ifneq "$(shell test -x $(RUN) && $(RUN) -c '' 2>&1 && cat $(READY) 2>&1)" "$(CURDIR)"
.PHONY: $(READY)
ANEW = yes
endif

$(READY): requirements.lock pyproject.toml doit_receipts/pyproject.toml
	@sh -euc "$$SETUP"

define SETUP
say() { printf 'make: %s\n' "$$@" >&2; }
stop() { say "$$@"; exit 1; }
has() { command -v "$$1" >/dev/null 2>&1; }
quietly() { # what a program says is shown only if it fails
    "$$@" </dev/null >>"$(LOG)" 2>&1 ||
        { tail -n 12 "$(LOG)" >&2; stop "the whole story is in $(LOG)"; }
}
: >"$(LOG)"

case $$(uname -s) in
Linux | Darwin) ;;
*) stop "pep101 runs on Linux and macOS; this is $$(uname -s)" \
    "on Windows, the Windows Subsystem for Linux is a Linux" ;;
esac

for python in $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11) ""; do
    [ -n "$$python" ] || stop "Python 3.11 or later is needed, and $(or $(PYTHON),python3) is \
$$($(or $(PYTHON),python3) --version 2>&1 || true)" \
        "install one, or name it: make PYTHON=/path/to/python3.13 $(MAKECMDGOALS)"
    ! "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || break
done

sudo=; [ $$(id -u) = 0 ] || sudo="sudo "
gpg=gnupg xz=xz ssh=openssh
for manager in apt-get dnf zypper pacman apk brew none; do ! has $$manager || break; done
case $$manager in
apt-get) install="$${sudo}apt-get install" gpg="gnupg gpg-agent" xz=xz-utils ssh=openssh-client ;;
dnf) install="$${sudo}dnf install" gpg=gnupg2 ssh=openssh-clients ;;
zypper) install="$${sudo}zypper install" gpg=gpg2 ;;
pacman) install="$${sudo}pacman -S" ;;
apk) install="$${sudo}apk add" ;;
brew) install="brew install" ;;
none) install="with the package manager of this system:" ;;
esac
missing=
has git || missing="$$missing git"
{ has gpg && has gpg-agent; } || missing="$$missing $$gpg"
has xz || missing="$$missing $$xz"
has gzip || missing="$$missing gzip"
has ssh-keygen || missing="$$missing $$ssh"  # reads known_hosts
# Debian keeps the part of Python that puts pip into an environment in a package of its own.
venv=
"$$python" -c 'import ensurepip' 2>/dev/null ||
    venv=$$("$$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
if [ -n "$$missing$$venv" ] && [ "$$manager$$sudo" = apt-get ]; then
    say "installing$$missing $$venv"
    quietly apt-get update
    quietly env DEBIAN_FRONTEND=noninteractive \
        apt-get install --yes --no-install-recommends $$missing $$venv
    venv=
elif [ -n "$$missing" ]; then
    stop "programs are missing; install them with the next line, then run make again" \
        "$$install$$missing $$venv"
fi

$(if $(ANEW),rm -rf $(VENV))
if [ -z "$$venv" ]; then
    [ -d $(VENV) ] || quietly "$$python" -m venv $(VENV)
elif [ ! -d $(VENV) ]; then
    # Anybody may download the package with Debian's pip; only installing it takes root.
    quietly "$$python" -m venv --without-pip $(VENV)
    (cd $(VENV) && apt-get download python3-pip-whl && dpkg-deb -x python3-pip-whl*.deb pip) \
        >>"$(LOG)" 2>&1 || stop "Python's venv is not whole; install its other part with the \
next line, then run make again" "$$install $$venv"
    wheel=$$(echo $(VENV)/pip/usr/share/python-wheels/pip-*.whl)
    quietly $(RUN) "$$wheel/pip" install --no-index "$$wheel"
fi
say "installing the packages of requirements.lock into $(VENV) with $$($(RUN) --version): a minute or two, once"
pip="$(RUN) -m pip install --disable-pip-version-check --no-input"
# An environment of before had the project itself in it, with commands that are gone.
quietly $(RUN) -m pip uninstall --yes --quiet pep101
if [ -z "$(RANGES)" ]; then
    quietly $$pip --require-hashes --requirement requirements.lock
    quietly $$pip --no-deps --no-build-isolation --editable ./doit_receipts
else
    quietly $$pip --editable ./doit_receipts --editable '.[rehearsal,test]'
fi
pwd -P >$(READY)
rm "$(LOG)"
endef
export SETUP
