from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doit_receipts.errors import SettingsError
from plugins.model.gate_rules import GATE_RULES
from plugins.model.local_settings import SourceTest
from plugins.model.outside_settings import Hosts
from plugins.model.promise import contract_of
from plugins.model.published_file import Origin
from plugins.model.release import Phase, ReleaseType
from plugins.model.rules import RULES
from plugins.model.secret import Secret
from plugins.model.settings import read_settings, release_of

KEY = "0123456789ABCDEF0123456789ABCDEF01234567"
COMMIT = "a" * 40
LEAST = 'version = "3.14.0rc1"\n[repository]\nclone = "../cpython"\n'
REAL = [each.name for each in fields(Hosts) if str(each.default).startswith("https:")]
WHOLE = f"""
version = "3.13.6"

[repository]
clone = "../cpython"
upstream = "https://github.com/python/cpython.git"
fork = "git@github.com:me/cpython.git"
base = "origin/3.13"
cherry_picks = ["{COMMIT}"]

[work]
folder = "out"

[series]
phase = "bugfix"
release_pep = 719

[signing]
gpg_key = "0123 4567 89ab cdef 0123  4567 89AB CDEF 0123 4567"
gnupg_home = "keys"

[tests]
source = "quick"

[docs]
formats = ["html", "epub"]
constraints = "docs.txt"
lock = "docs-tools.lock"

[hosts]
downloads = "ssh://rm@downloads.example:2222/srv/ftp/python/"
docs = "folder:///srv/docs"
site = "https://site.example/"
cdn = "http://127.0.0.1:8080"

[credentials]
site = "file:~/token"

[experts.windows]
name = "Ada"
keys = ["{KEY}"]

[[waivers]]
rule = "builders.red"
reason = "known flake"
by = "Ada"
until = 2026-12-01
"""


def write(folder: Path, text: str | bytes) -> Path:
    file = folder / "release.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def mistakes_of(folder: Path, text: str | bytes) -> list[str]:
    with pytest.raises(SettingsError) as raised:
        read_settings(write(folder, text))
    return [str(raised.value), *raised.value.details]


def test_whole_declaration_is_read(tmp_path: Path) -> None:
    settings = read_settings(write(tmp_path, WHOLE))
    assert str(settings.version) == "3.13.6"
    assert settings.repository.clone == tmp_path.parent / "cpython"
    assert settings.repository.fork == "git@github.com:me/cpython.git"
    assert settings.repository.cherry_picks == (COMMIT,)
    assert settings.work.folder == tmp_path / "out"
    assert settings.series.phase is Phase.BUGFIX
    assert settings.signing.gpg_key == KEY
    assert settings.signing.gnupg_home == tmp_path / "keys"
    assert settings.tests.source is SourceTest.QUICK
    assert settings.docs.formats == ("html", "epub")
    assert settings.docs.constraints == tmp_path / "docs.txt"
    assert settings.docs.lock == tmp_path / "docs-tools.lock"
    assert settings.hosts.downloads == "ssh://rm@downloads.example:2222/srv/ftp/python"
    assert settings.hosts.site == "https://site.example"
    assert settings.credentials.site == Secret(f"file:{Path('~/token').expanduser()}")
    assert settings.experts[0].role == "windows"
    assert settings.experts[0].keys == (KEY,)
    assert settings.waivers[0].until == date(2026, 12, 1)


def test_least_declaration_gets_every_default(tmp_path: Path) -> None:
    settings = read_settings(write(tmp_path, LEAST))
    assert settings.work.folder == tmp_path / "build"
    assert settings.repository.upstream == "git@github.com:python/cpython.git"
    assert settings.signing.gnupg_home == Path("~/.gnupg").expanduser()
    assert settings.tests.source is SourceTest.FULL
    assert settings.docs.formats == ("html", "text", "epub", "texinfo")
    assert settings.hosts.site == "https://www.python.org"
    assert settings.credentials.site is None
    assert settings.experts == ()


def test_release_is_what_version_phase_and_folder_say(tmp_path: Path) -> None:
    release = release_of(read_settings(write(tmp_path, WHOLE)))
    assert release.type is ReleaseType.BUGFIX_FINAL
    assert release.layout.work == tmp_path / "out" / "3.13.6"
    assert release.series.release_pep == 719
    assert release.signs_with_gpg
    assert not release.rehearsal


def test_nobody_is_mailed_and_forum_and_blog_are_told_unless_declared(tmp_path: Path) -> None:
    announce = read_settings(write(tmp_path, LEAST)).announce
    assert announce.lists == ()
    assert (announce.list, announce.announce, announce.dev, announce.committers) == ("",) * 4
    assert announce.heads_up is False
    assert announce.forum_category == 23
    assert announce.blog == "python/python-insider-blog"
    assert (announce.author, announce.versions) == ("", ())


def test_announcement_goes_where_it_is_declared_to_go(tmp_path: Path) -> None:
    words = (
        '[announce]\nlist = "a@b.c"\ndev = "a@b.c"\nannounce = "d@b.c"\nheads_up = true\n'
        'forum_category = 7\nblog = ""\nauthor = "Ada L."\nversions = ["3.13.10", "3.14.0rc2"]\n'
    )
    announce = read_settings(write(tmp_path, LEAST + words)).announce
    assert announce.lists == ("a@b.c", "d@b.c")
    assert (announce.forum_category, announce.blog, announce.heads_up) == (7, "", True)
    assert (announce.author, announce.versions) == ("Ada L.", ("3.13.10", "3.14.0rc2"))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ('versions = ["3.13"]', "[announce] versions"),
        ('versions = "3.13.6"', "[announce] versions"),
        ("blog = 5", "[announce] blog"),
        ('blog = "blog"', "[announce] blog"),
        ('heads_up = "yes"', "[announce] heads_up"),
    ],
)
def test_mistake_about_the_announcement_is_one_line(tmp_path: Path, words: str, told: str) -> None:
    (line,) = mistakes_of(tmp_path, f"{LEAST}[announce]\n{words}\n")
    assert told in line


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ('manager = "Nina Next"\n', "[next_series] login is missing; write login = "),
        ('manager = "Nina"\nlogin = "nina"\n', "[next_series] pep is missing; write pep = 845"),
        ('manager = "N\\"ina"\nlogin = "nina"\npep = 845\n', "write a name of letters"),
        ('manager = "Nina"\nlogin = "@nina"\npep = 845\n', "write a name at GitHub, without @"),
        ('manager = "Nina"\nlogin = "nina"\npep = 12345\n', "write a number up to 9999"),
        ('manager = "Nina"\nlogin = "nina"\npep = 845\n',
         "[next_series] is about the alphas of a series, and version is 3.14.0rc1; take"),
    ],
)  # fmt: skip
def test_mistake_about_the_next_series_is_one_line(tmp_path: Path, words: str, told: str) -> None:
    assert told in mistakes_of(tmp_path, f"{LEAST}[next_series]\n{words}")[0]


def test_texts_of_a_hotfix_may_name_the_release_that_it_mends(tmp_path: Path) -> None:
    hotfix = LEAST.replace("3.14.0rc1", "3.15.0a5") + '[announce]\nversions = ["3.14.2"]\n'
    assert read_settings(write(tmp_path, hotfix)).may_be_named == ("3.14.2",)
    hotfix += "[series]\nunplanned = true\n"
    assert read_settings(write(tmp_path, hotfix)).may_be_named == ("3.14.2", "3.15.0a4")
    assert (
        "3.14.1"
        in read_settings(write(tmp_path, hotfix.replace("3.15.0a5", "3.14.2"))).may_be_named
    )


def test_people_are_waited_for_a_week_unless_declared(tmp_path: Path) -> None:
    assert read_settings(write(tmp_path, LEAST)).work.wait_days == 7
    declared = LEAST + "[work]\nwait_days = 2\n"
    assert read_settings(write(tmp_path, declared)).work.wait_days == 2


def test_no_docs_and_no_test_may_be_declared(tmp_path: Path) -> None:
    text = LEAST + '[docs]\nformats = []\n[tests]\nsource = "none"\n'
    settings = read_settings(write(tmp_path, text))
    assert settings.docs.formats == ()
    assert settings.tests.source is SourceTest.NONE


INTEGRITY = sorted(name for name, rule in {**GATE_RULES, **RULES}.items() if not rule.waivable)


@pytest.mark.parametrize("rule", INTEGRITY)
def test_nobody_waives_that_users_get_what_was_judged(tmp_path: Path, rule: str) -> None:
    text = LEAST + f'[[waivers]]\nrule = "{rule}"\nreason = "r"\nby = "me"\nuntil = 2026-12-01\n'
    with pytest.raises(SettingsError, match=f"number 1 rule is {rule}, which cannot be waived"):
        read_settings(write(tmp_path, text))


def test_rules_of_integrity_are_told_from_the_others() -> None:
    assert {"archive.tree", "signature.bytes", "ci.differs", "public.differs"} <= set(INTEGRITY)
    assert "docs.unproven" in INTEGRITY  # it is signed as what was built here
    remedies = [rule.remedy for rule in (*GATE_RULES.values(), *RULES.values())]
    assert not [each for each in remedies for name in INTEGRITY if f"waive {name}" in each]


def test_a_waiver_is_valid_for_a_month_at_most(tmp_path: Path) -> None:
    waiver = '[[waivers]]\nrule = "builders.red"\nreason = "r"\nby = "me"\nuntil = {}\n'
    path = write(tmp_path, LEAST + waiver.format("2026-12-31"))
    read_settings(path, date(2026, 11, 30))
    with pytest.raises(
        SettingsError,
        match="until is 2026-12-31, and a waiver is valid for 31 days at most; "
        "write until = 2026-12-30",
    ):
        read_settings(path, date(2026, 11, 29))


def test_waiver_of_the_past_is_kept_so_that_it_can_be_shown(tmp_path: Path) -> None:
    text = LEAST + '[[waivers]]\nrule = "a.b"\nreason = "r"\nby = "me"\nuntil = 2001-01-01\n'
    assert read_settings(write(tmp_path, text)).waivers[0].until == date(2001, 1, 1)


def test_secret_may_be_in_the_environment(tmp_path: Path) -> None:
    text = LEAST + '[credentials]\nsite = "env:PYDOTORG_AUTH"\n'
    settings = read_settings(write(tmp_path, text))
    assert settings.credentials.site == Secret("env:PYDOTORG_AUTH")


def test_windows_line_ends_are_read(tmp_path: Path) -> None:
    assert read_settings(
        write(tmp_path, LEAST.replace("\n", "\r\n"))
    ).repository.clone.is_absolute()


def test_relative_file_gives_absolute_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, LEAST)
    monkeypatch.chdir(tmp_path)
    settings = read_settings(Path("release.toml"))
    assert settings.file == tmp_path / "release.toml"
    assert settings.work.folder == tmp_path / "build"


@pytest.mark.parametrize(
    ("version", "told"),
    [
        ("3.14", "'3.14' is not a version; write 3.14.0"),
        ("3.14.0-rc1", "'3.14.0-rc1' is not a version; write 3.14.0rc1"),
        ("3.14.0; rm -rf x", "'3.14.0; rm -rf x' is not a version; write X.Y.Z"),
        ("v3.14.0", "'v3.14.0' is not a version; write 3.14.0"),
        ("\uff13.14.0", "is not a version; write 3.14.0"),
        ("3.1\u0664.0", "is not a version; write 3.14.0"),
        ("3.14.0 ", "'3.14.0 ' is not a version; write 3.14.0"),
        ("3.14.0c1", "'3.14.0c1' is not a version; write 3.14.0rc1"),
        ("3.014.0", "'3.014.0' is not a version"),
        ("3.14.1a1", "'3.14.1a1' is an alpha or beta of a bugfix release"),
        ("3.14.0rc0", "'3.14.0rc0' has serial 0"),
        ("", "'' is not a version"),
        ("2.7.18", "2.7.18 is of series 2.7; this tool releases 3.8 and later"),
        ("3.15.0a0", "is the version of a new main branch and is never released"),
    ],
)
def test_wrong_version_is_told_with_what_to_write(tmp_path: Path, version: str, told: str) -> None:
    (line, *others) = mistakes_of(tmp_path, LEAST.replace("3.14.0rc1", version))
    assert line.startswith("release.toml: version ")
    assert told in line
    assert others == []


BAD = [
    ('[hosts]\ndownlods = "x"', "[hosts] downlods is not a setting; did you mean downloads?"),
    ("[repostory]\nx = 1", "[repostory] is not a section; did you mean repository?"),
    ('[work]\nclone = "x"', "[work] clone is not a setting; it belongs to [repository]"),
    ('[work]\nversion = "3.14.0"', "[work] version is not a setting; it belongs to the top of the"),
    ('[work]\n"a b\\nc" = 1', "[work] 'a b\\nc' is not a setting; known here: folder"),
    ("[work]\nfolder = 3", "[work] folder is the number 3, wanted a path"),
    ('[work]\nfolder = ""', "[work] folder is empty; write a path"),
    ('[work]\nfolder = "a\\nb"', "[work] folder holds a line break"),
    ('[work]\nfolder = "~nobody-at-all/x"', "and there is no such home folder"),
    ("[tests]\nsource = true", "[tests] source is the boolean true, wanted text: none, quick or f"),
    ('[tests]\nsource = "quik"', "[tests] source is 'quik'; did you mean quick?"),
    ('[tests]\nsource = "9"', "[tests] source is '9'; known here: none, quick, full"),
    ('[series]\nphase = "securty"', "[series] phase is 'securty'; did you mean security?"),
    ('[series]\nphase = "security"', "[series] phase 3.14.0rc1 is not released while its branch"),
    (
        "[series]\nrelease_pep = 0",
        "[series] release_pep is the number 0, wanted the number of a PEP",
    ),
    ("[series]\nrelease_pep = 1.5", "[series] release_pep is the number 1.5, wanted"),
    ('[docs]\nformats = ["htm"]', "[docs] formats holds 'htm'; did you mean html?"),
    ('[docs]\nformats = ["html", "html"]', "[docs] formats holds 'html' twice"),
    (
        f'[rebuilds]\nkeys = ["{"A" * 40} + {"B" * 40}", "{"B" * 40}"]',
        f"[rebuilds] keys has {'B' * 40} for two people; write all keys of a person in one text",
    ),
    ('[docs]\nformats = "html"', "[docs] formats is the text 'html', wanted a list of html, text,"),
    ("[docs]\nformats = [1]", "[docs] formats holds the number 1, wanted a list of html, text,"),
    ('[signing]\ngpg_key = "89ABCDEF"', "[signing] gpg_key is '89ABCDEF'; write the full fingerpr"),
    ("[signing]\ngpg_key = 2026-01-01", "[signing] gpg_key is the date 2026-01-01, wanted text"),
    (
        '[hosts]\ndownloads = "downloads.example"',
        "write ssh://user@host/folder or folder:///folder",
    ),
    ('[hosts]\ndownloads = "ssh://-oProxyCommand=x/y"', "write ssh://user@host/folder or folder"),
    ('[hosts]\nsite = "http://www.python.org"', "over http a secret would be sent unencrypted"),
    ('[hosts]\nsite = "www.python.org"', "write an address such as https://www.python.org"),
    ('[credentials]\nsite = ["env:X"]', "[credentials] site does not say where the secret is"),
    ('[credentials]\nsite = "env:"', "[credentials] site does not say where the secret is; write"),
    ('[credentials]\nsite = "file:"', "[credentials] site does not say where the secret is; write"),
    ('[credentials]\nsit = "env:X"', "[credentials] sit is not a setting; did you mean site?"),
    (
        "[experts]\nwindows = 1",
        "experts.windows is the number 1, wanted a section; write [experts.",
    ),
    ("[[experts]]\nwindows = 1", "experts is a list, wanted sections; write [experts.windows]"),
    ("[experts.windows]\nname = 'A'", '[experts.windows] keys is missing; write keys = ["FULL'),
    ("[experts.windows]\nkeys = []", "[experts.windows] name is missing; write name = "),
    ("[experts.windows]\nname = 'A'\nkeys = []", "[experts.windows] keys is empty"),
    (
        "[experts.Win]\nname = 'A'\nkeys = ['1']",
        "[experts.'Win'] cannot be the name of an expert; wri",
    ),
    ("[waivers]\nrule = 'a.b'", "waivers is not a list of sections; write [[waivers]] above each"),
    ("[[waivers]]\nrule = 'a.b'", "[[waivers]] number 1 reason is missing; write reason = "),
    (
        "[[waivers]]\nrule='a.b'\nreason='r'\nby='b'\nuntil='2026-12-01'",
        "[[waivers]] number 1 until is the text '2026-12-01', wanted a date without quotes",
    ),
    (
        "[[waivers]]\nrule='a.b'\nreason='r'\nby='b'\nuntil=2026-12-01T00:00:00Z",
        "[[waivers]] number 1 until is the datetime 2026-12-01",
    ),
    (
        "[[waivers]]\nrule='everything'\nreason='r'\nby='b'\nuntil=2026-12-01",
        "[[waivers]] number 1 rule is 'everything'; write a rule as findings show it",
    ),
]


@pytest.mark.parametrize(("lines", "told"), BAD)
def test_mistake_is_told_in_one_line_with_place_and_remedy(
    tmp_path: Path, lines: str, told: str
) -> None:
    line = mistakes_of(tmp_path, f"{LEAST}{lines}\n")[0]
    assert line.startswith("release.toml: ")
    assert told in line
    assert "\n" not in line


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ('base = "-x"', "[repository] base is '-x'; write a branch, a tag or a commit"),
        ('base = "a..b"', "[repository] base is 'a..b'"),
        ('cherry_picks = ["abc123"]', "[repository] cherry_picks is 'abc123'; write the full com"),
        ('cherry_picks = ["--help"]', "[repository] cherry_picks is '--help'; write full commit"),
        ('upstream = "ext::sh -c x"', "[repository] upstream is 'ext::sh -c x'; write an address"),
        ('upstream = "--upload-pack=x"', "[repository] upstream is '--upload-pack=x'"),
        ('fork = "nowhere"', "[repository] fork is 'nowhere'"),
        ('clone = "again"', "line 4: clone is written twice; keep one of them"),
    ],
)
def test_mistake_about_the_repository_is_told(tmp_path: Path, lines: str, told: str) -> None:
    assert told in mistakes_of(tmp_path, f"{LEAST}{lines}\n")[0]


def test_local_repositories_start_at_the_file(tmp_path: Path) -> None:
    text = LEAST + 'upstream = "../up.git"\nfork = "/srv/fork.git"\n'
    repository = read_settings(write(tmp_path, text)).repository
    assert repository.upstream == str(tmp_path.parent / "up.git")
    assert repository.fork == "/srv/fork.git"


def test_all_mistakes_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    text = 'version = "3.13"\ncolour = 1\n[repository]\nfork = 1\n[tests]\nsource = "some"\n'
    told = mistakes_of(tmp_path, text)
    assert [line.partition(";")[0] for line in told] == [
        "release.toml: colour is not a setting",
        "release.toml: version '3.13' is not a version",
        "release.toml: [repository] clone is missing",
        "release.toml: [repository] fork is the number 1, wanted text",
        "release.toml: [tests] source is 'some'",
    ]


@pytest.mark.parametrize("folder", [".", "build", ".git/build", "../link/build"])
def test_work_folder_inside_of_the_clone_is_refused(folder: str, tmp_path: Path) -> None:
    """Nothing is ever written into the release manager's own repository or checkout."""
    clone = tmp_path / "cpython"
    clone.mkdir()
    (tmp_path / "link").symlink_to(clone)
    text = LEAST.replace("../cpython", ".") + f'[work]\nfolder = "{folder}"\n'
    told = mistakes_of(clone, text)
    assert len(told) == 1
    assert told[0].startswith("release.toml: [work] folder is ")
    assert told[0].endswith(
        f", inside of the clone {clone}, which is never written; name a folder outside of it"
    )


def test_work_folder_beside_the_clone_may_begin_with_its_name(tmp_path: Path) -> None:
    text = LEAST + '[work]\nfolder = "../cpython-releases"\n'
    folder = read_settings(write(tmp_path, text)).work.folder
    assert folder == tmp_path.parent / "cpython-releases"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('sigstore_identity = "me@python.org"', "[signing] sigstore_issuer is missing"),
        ('sigstore_issuer = "https://github.com/login/oauth"', "sigstore_identity is missing"),
        ('sigstore_trust = "trust.json"', "sigstore_trust is only for rehearsals"),
    ],
)
def test_half_an_identity_and_a_trust_of_ones_own_are_refused(
    tmp_path: Path, line: str, told: str
) -> None:
    """A bundle that strangers cannot verify is worse than none (sigstore-python#600)."""
    assert told in mistakes_of(tmp_path, f"{LEAST}[signing]\n{line}\n")[0]


def test_a_rehearsal_without_a_sigstore_of_its_own_is_refused(tmp_path: Path) -> None:
    """What is signed by the public one is in its log for ever, also if it is a toy."""
    told = mistakes_of(tmp_path, f"{LEAST}[work]\nrehearsal = true\n")[0]
    assert "sigstore_trust is missing, and a rehearsal signs nothing in the public log" in told


def rehearsed(hosts: str = "", upstream: str = "./upstream.git") -> str:
    """A rehearsal whose every host is on this machine, but for these lines."""
    named = {line.partition(" =")[0] for line in hosts.splitlines()}
    lines = [f'{name} = "http://127.0.0.1:8080"' for name in REAL if name not in named]
    return (
        f'{LEAST}upstream = "{upstream}"\n[work]\nrehearsal = true\n[signing]\n'
        "sigstore_trust = 'trust.json'\n[hosts]\n" + "\n".join([*lines, hosts, ""])
    )


def test_a_rehearsal_that_contacts_this_machine_alone_is_read(tmp_path: Path) -> None:
    hosts = (
        'downloads = "ssh://downloads.rehearsal/srv"\ndocs = "folder:///srv/docs"\n'
        'mail = "smtp://localhost:2525"\ncdn_edges = ["http://[::1]:8081"]\n'
        'packages = "https://index.example"'
    )
    assert read_settings(write(tmp_path, rehearsed(hosts))).work.rehearsal


@pytest.mark.parametrize("name", REAL)
def test_a_rehearsal_never_takes_the_real_host_that_a_release_takes_by_default(
    tmp_path: Path, name: str
) -> None:
    """As a release.toml has none of it that an earlier version of this tool has made."""
    text = rehearsed().replace(f'\n{name} = "http://127.0.0.1:8080"\n', "\n")
    (told,) = mistakes_of(tmp_path, text)
    assert f"[hosts] {name} leads to https://" in told
    assert "start a new rehearsal in another folder" in told
    assert read_settings(write(tmp_path, rehearsed())).work.rehearsal


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('site = "https://www.python.org"', "site leads to https://www.python.org"),
        ('cdn_edges = ["http://127.0.0.1:1", "https://edge.example"]', "cdn_edges leads to https"),
        ('mail = "smtps://smtp.example.org"', "mail leads to smtps://smtp.example.org"),
        ('downloads = "ssh://rm@downloads.example/srv"', "downloads leads to ssh://rm@downloads"),
        ('docs = "ssh://rm@127.0.0.1.example:22/srv"', "docs leads to ssh://rm@127.0.0.1.example"),
        ('[farm]\nworkers = ["ssh://them@machine.example/"]', "[farm] workers leads to ssh://them"),
    ],
)
def test_a_rehearsal_of_a_real_host_is_refused(tmp_path: Path, line: str, told: str) -> None:
    (found,) = mistakes_of(tmp_path, rehearsed(line))
    assert told in found


@pytest.mark.parametrize(
    "address", ["git@github.com:python/cpython.git", "https://github.com/me/cpython", "host:path"]
)
def test_a_rehearsal_pushes_to_no_real_repository(tmp_path: Path, address: str) -> None:
    (told,) = mistakes_of(tmp_path, rehearsed(upstream=address))
    assert f"[repository] upstream leads to {address}, and a rehearsal contacts" in told
    (told,) = mistakes_of(tmp_path, rehearsed().replace('upstream = "./upstream.git"\n', ""))
    assert "upstream leads to git@github.com:python/cpython.git" in told


def test_a_secret_in_an_address_of_a_rehearsal_is_not_repeated(tmp_path: Path) -> None:
    told = mistakes_of(tmp_path, rehearsed(f'site = "https://user:{SECRET}@www.python.org"'))
    assert SECRET not in "\n".join(told)


def test_the_identity_of_the_series_counts_unless_another_is_declared(tmp_path: Path) -> None:
    settings = read_settings(write(tmp_path, LEAST))
    assert release_of(settings).series.manager.address == "hugo@python.org"
    text = (
        f'{LEAST}[signing]\nsigstore_identity = "me@python.org"\n'
        'sigstore_issuer = "https://accounts.google.com"\n'
    )
    settings = read_settings(write(tmp_path, text))
    told = str(release_of(settings).series.manager)
    assert told == "me@python.org at https://accounts.google.com"


def test_a_series_whose_release_manager_is_unknown_says_what_to_write(tmp_path: Path) -> None:
    text = LEAST.replace("3.14.0rc1", "3.40.0a1") + "[series]\nrelease_pep = 9999\n"
    assert "sigstore_identity is missing, and of 3.40 no" in mistakes_of(tmp_path, text)[0]


def test_series_that_signs_needs_a_key(tmp_path: Path) -> None:
    """PEP 761: OpenPGP signatures end with 3.13."""
    text = LEAST.replace("3.14.0rc1", "3.13.6")
    assert "[signing] gpg_key is missing, and 3.13.6 is signed" in mistakes_of(tmp_path, text)[0]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('version = "3.14.0rc1', "release.toml: line 1, column"),
        ('version = "3.14.0rc1"\nx ==== 1', "release.toml: line 2, column 4: invalid value; corr"),
        ("[repository\n", "release.toml: line 1, column 12: "),
        ("a = [1,\n", "release.toml: line 1, column 8: "),
        ("x = 1\nx = 2\n", "release.toml: line 2: x is written twice; keep one of them"),
        ("[work]\n[work]\n", "release.toml: line 2: [work] is written twice; keep one of them"),
        ("[[[[" * 5000, "release.toml: "),
        ("x = " + "[" * 5000, "release.toml: is nested too deeply to be a declaration"),
        (b"version = '\xff'\n", "release.toml: line 1 is not UTF-8; save the file as UTF-8"),
        (b"a = 1\nversion = '\xff'\n", "release.toml: line 2 is not UTF-8"),
        (b"\xef\xbb\xbfversion = 'x'\n", "release.toml: starts with a byte order mark"),
        ("", "release.toml: is empty; write at least the lines below"),
        ("# nothing\n\n", "release.toml: is empty; write at least the lines below"),
    ],
)
def test_file_that_is_no_toml_is_told_with_line_and_column(
    tmp_path: Path, text: str | bytes, told: str
) -> None:
    line = mistakes_of(tmp_path, text)[0]
    assert line.startswith(told)
    assert "\n" not in line


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ("[{x = 1}, 2]", "docs.formats"),
        ('["html", 1]', "docs.formats"),
        ('[["html"], "text"]', "docs.formats"),
        ('[[{x = 1}, 2], ["a"]]', "docs.formats"),
        ("[1, true]", "docs.formats"),
        ("[1, 1.0]", "docs.formats"),
    ],
)
def test_mixed_array_is_refused_before_its_rest_can_be_dropped(
    tmp_path: Path, value: str, place: str
) -> None:
    """Toml reads ``[{x = 1}, 2]`` as ``[{x = 1}]`` without a word."""
    line = mistakes_of(tmp_path, f"{LEAST}[docs]\nformats = {value}\n")[0]
    assert line == (f"release.toml: {place} mixes kinds of values; write values of one kind")


def test_what_toml_alone_cannot_read_is_told_as_such(tmp_path: Path) -> None:
    text = LEAST + "[work]\nfolder = {a = '=', b = ','}\n"
    (line,) = mistakes_of(tmp_path, text)
    assert line.startswith("release.toml: line 5 is valid, but more than the toml library reads;")


def test_missing_file_shows_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as raised:
        read_settings(tmp_path / "release.toml")
    assert str(tmp_path / "release.toml") in str(raised.value)
    assert "there is no such file; write it" in str(raised.value)
    assert 'version = "3.14.0rc1"' in raised.value.details


def test_folder_in_place_of_the_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read: Is a directory"):
        read_settings(tmp_path)


SECRET = "canary-5f1d"


@pytest.mark.parametrize(
    "lines",
    [
        f'[credentials]\nsite = "{SECRET}"',
        f'[credentials]\nsite = "env:{SECRET}"',
        f'[credentials]\nsite = ["{SECRET}"]',
        f'[hosts]\nsite = "https://user:{SECRET}@www.python.org"',
        f'[hosts]\nsite = "https://{SECRET}@www.python.org"',
        f'[hosts]\ndownloads = "ssh://rm:{SECRET}@downloads.example/srv"',
        f'fork = "https://me:{SECRET}@github.com/me/cpython.git"',
        f'fork = "https://{SECRET}@github.com/me/cpython.git"',
        f'[credentials]\nsite = "{SECRET}',
        f'[credentials]\nsite = """{SECRET}\n"""',
        f'[credentials]\nsite = [{{x = "{SECRET}"}}, 1]',
        f'[credentials]\nsite = {{x = """{SECRET}\n"""}}',
    ],
)
def test_secret_in_the_wrong_place_is_refused_and_never_repeated(
    tmp_path: Path, lines: str
) -> None:
    """DESIGN rule 12: a secret appears in no error line."""
    told = "\n".join(mistakes_of(tmp_path, f"{LEAST}{lines}\n"))
    assert SECRET not in told


@given(st.text(max_size=200))
def test_any_text_is_refused_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    folder = tmp_path_factory.getbasetemp()
    first = mistakes_of(folder, text.encode("utf-8", "surrogatepass"))[0]
    assert first.isprintable()


VALUES = st.recursive(
    st.one_of(
        st.integers(-5, 5).map(str),
        st.sampled_from(['"a"', "true", "1.5", "2026-12-01", '"env:X"', '""', "nan", "10:00:00"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda each: f"[{', '.join(each)}]"),
        inner.map(lambda each: f"{{x = {each}}}"),
    ),
    max_leaves=5,
)
KEYS = st.sampled_from(
    [
        "version",
        "clone",
        "upstream",
        "fork",
        "base",
        "cherry_picks",
        "folder",
        "phase",
        "release_pep",
        "gpg_key",
        "source",
        "formats",
        "constraints",
        "downloads",
        "site",
        "name",
        "keys",
        "rule",
        "until",
        "repository",
        "work",
        "experts",
        "waivers",
    ]
)
LINES = st.lists(
    st.one_of(
        st.tuples(KEYS, VALUES).map(" = ".join),
        KEYS.map(lambda name: f"[{name}]"),
        KEYS.map(lambda name: f"[[{name}]]"),
        KEYS.map(lambda name: f"[experts.{name}]"),
    ),
    max_size=8,
)


@given(LINES)
def test_any_wrong_shape_is_a_settings_error_and_never_a_bug(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    file = write(tmp_path_factory.getbasetemp(), "\n".join(lines))
    with pytest.raises(SettingsError):
        read_settings(file)


def test_naming_settings_loads_no_parser() -> None:
    code = (
        "import sys, plugins.model.settings; print('toml' in sys.modules, 'tomllib' in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert ended.stdout.split() == ["False", "False"]


def test_copyright_years_are_renewed_only_where_that_is_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "release.toml"
    text = 'version = "3.14.1"\n[repository]\nclone = "cpython"\n'
    file.write_text(text)
    assert not read_settings(file).repository.copyright_years
    file.write_text(text + "copyright_years = true\n")
    assert read_settings(file).repository.copyright_years
    file.write_text(text + 'copyright_years = "yes"\n')
    with pytest.raises(
        SettingsError, match="copyright_years is the text 'yes', wanted true or false"
    ):
        read_settings(file)


def test_what_the_schedule_has_to_hear_is_declared(tmp_path: Path) -> None:
    plain = read_settings(write(tmp_path, LEAST)).series
    assert (plain.next_phase, plain.unplanned) == (None, False)
    told = LEAST + '[series]\nbecomes = "security"\nunplanned = true\n'
    series = read_settings(write(tmp_path, told)).series
    assert (series.next_phase, series.unplanned) == (Phase.SECURITY, True)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('becomes = "bugfix"', "known here: security, end-of-life"),
        ("becomes = true", "wanted text: security or end-of-life"),
        ('unplanned = "yes"', "wanted true or false"),
    ],
)
def test_what_a_branch_cannot_become_is_refused(tmp_path: Path, line: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        read_settings(write(tmp_path, f"{LEAST}[series]\n{line}\n"))


@pytest.mark.parametrize(
    ("version", "kind"),
    [
        ("3.10.21", ReleaseType.SECURITY_FINAL),
        ("3.13.17", ReleaseType.SECURITY_FINAL),
        ("3.14.8", ReleaseType.BUGFIX_FINAL),
        ("3.14.5rc1", ReleaseType.CANDIDATE),
    ],
)
def test_source_only_release_is_known_without_a_phase(
    tmp_path: Path, version: str, kind: ReleaseType
) -> None:
    """3.10.21 waits for no installer, whatever release.toml leaves out."""
    text = LEAST.replace("3.14.0rc1", version) + f'[signing]\ngpg_key = "{KEY}"\n'
    release = release_of(read_settings(write(tmp_path, text)))
    assert release.type is kind
    promised = {each.origin for each in contract_of(release).files}
    assert ({Origin.WINDOWS, Origin.MACOS} <= promised) is (kind is not ReleaseType.SECURITY_FINAL)
