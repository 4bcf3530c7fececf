"""What `.env` says is read as shells, Docker and systemd would read it, or refused by line."""

import codecs
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from guestportal.environment import dotenv, reading
from tests.support.service import ROOT

pytestmark = pytest.mark.thorough

OURS = ("CONSENT_MODE", "GENESYS_CLIENT_ID", "GENESYS_CLIENT_SECRET", "PORT", "SECRET_KEY")
SECRET = "tOp-S3cret"

READ = [
    ("PORT=8000", "8000"),
    ("  PORT=8000", "8000"),
    ("export PORT=8000", "8000"),
    ("PORT=8000  \t", "8000"),
    ("PORT=8000\r", "8000"),
    ("PORT=", ""),
    ("PORT=  ", ""),
    ("PORT=a#b", "a#b"),
    ("PORT=a=b==", "a=b=="),
    ("PORT=$HOME ${x} $(y) `z`", "$HOME ${x} $(y) `z`"),
    ("PORT=a\\nb", "a\\nb"),
    ('PORT=it\'s "so"', 'it\'s "so"'),
    ("PORT='a # \"b\" \\ $c '", 'a # "b" \\ $c '),
    ("PORT='abc'  ", "abc"),
    ("PORT=\"a # 'b' \"", "a # 'b' "),
    ('PORT="\\"\\\\\\$\\`\\n"', '"\\$`\\n'),
    ('PORT=""', ""),
    ("PORT=1\nPORT=2", "2"),
]
REFUSED = [
    (f"GENESYS_CLIENT_SECRET = {SECRET}", "GENESYS_CLIENT_SECRET"),
    (f"GENESYS_CLIENT_SECRET= {SECRET}", "GENESYS_CLIENT_SECRET"),
    (f"GENESYS_CLIENT_SECRET ={SECRET}", "GENESYS_CLIENT_SECRET"),
    (f"GENESYS_CLIENT_SECRET: {SECRET}", "GENESYS_CLIENT_SECRET"),
    (f"GENESYS_CLIENT_SECRET:{SECRET}", "GENESYS_CLIENT_SECRET"),
    (f"GENESYS_CLIENT_SECRET {SECRET}", "GENESYS_CLIENT_SECRET"),
    (f"export GENESYS_CLIENT_SECRET : {SECRET}", "GENESYS_CLIENT_SECRET"),
    (f"GENESYS_CLIENT_SECRET={SECRET} # prod", "GENESYS_CLIENT_SECRET"),
    (f"GENESYS_CLIENT_SECRET=#{SECRET}", "GENESYS_CLIENT_SECRET"),
    (f"GENESYS_CLIENT_SECRET='{SECRET}", "GENESYS_CLIENT_SECRET"),
    (f"GENESYS_CLIENT_SECRET='{SECRET}'s'", "GENESYS_CLIENT_SECRET"),
    (f'GENESYS_CLIENT_SECRET="{SECRET}', "GENESYS_CLIENT_SECRET"),
    (f'GENESYS_CLIENT_SECRET="{SECRET}\\"', "GENESYS_CLIENT_SECRET"),
    (f'GENESYS_CLIENT_SECRET="{SECRET}" # prod', "GENESYS_CLIENT_SECRET"),
    (f"GENESYS_CLIENT_SECRET={SECRET}\0", "GENESYS_CLIENT_SECRET"),
    (f"GENESYS_CLIENT_SECRET={SECRET}\rPORT=1", "GENESYS_CLIENT_SECRET"),
    (f"KEY='-----BEGIN {SECRET}", "KEY"),
    (SECRET, ""),
    (f"={SECRET}", ""),
    (f"{SECRET} and more", ""),
    (f"GENESYS_CLIENT_SECRE={SECRET}", "GENESYS_CLIENT_SECRE"),
    (f"GENESYS_CLIENT_SECRETS={SECRET}", "GENESYS_CLIENT_SECRETS"),
    (f"SECRET-KEY={SECRET}", "SECRET-KEY"),
    (f"secret_key={SECRET}", "secret_key"),
    (f"SECRTE_KEY={SECRET}", "SECRTE_KEY"),
    (f"SECRET_KEV={SECRET}", "SECRET_KEV"),
    (f"SECRETKEY={SECRET}", "SECRETKEY"),
    (f"GENESYS_SECRET={SECRET}", "GENESYS_SECRET"),
    (f"MESSENGER_DOMAIN={SECRET}", "MESSENGER_DOMAIN"),
    (f"AUDIT_KEY={SECRET}", "AUDIT_KEY"),
    (f"CONSENT={SECRET}\nCONSENT_MODUS={SECRET}", "CONSENT_MODUS"),
    (f"OIDC_CLIENT_SECRET={SECRET}", "OIDC_CLIENT_SECRET"),
]


def read(folder: Path, content: str | bytes) -> dotenv.Dotenv:
    path = folder / "some.env"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return dotenv.read(path, ours=OURS)


@pytest.mark.parametrize(("line", "value"), READ)
def test_reads_what_others_read_alike(line: str, value: str, tmp_path: Path) -> None:
    assert read(tmp_path, f"# first\n\n   # and this\n{line}\n").values["PORT"] == value


@pytest.mark.parametrize(("line", "name"), REFUSED)
def test_refuses_by_line_and_name_and_shows_no_value(line: str, name: str, tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        read(tmp_path, f"# first\nCONSENT_MODE=strict\n{line}\n")

    sentence = str(refused.value)
    assert sentence.startswith(f"some.env, line {3 + line.count(chr(10))}: {name}")
    assert SECRET not in sentence
    assert "Traceback" not in sentence


@pytest.mark.parametrize(
    "content",
    [
        codecs.BOM_UTF8 + b"CONSENT_MODE=strict\r\nPORT=1\r\n",
        codecs.BOM_UTF16_LE + "CONSENT_MODE=strict\r\nPORT=1".encode("utf-16-le"),
        codecs.BOM_UTF16_BE + "CONSENT_MODE=strict\nPORT=1".encode("utf-16-be"),
    ],
    ids=["utf-8", "utf-16-le", "utf-16-be"],
)
def test_understands_a_byte_order_mark(content: bytes, tmp_path: Path) -> None:
    assert read(tmp_path, content).values == {"CONSENT_MODE": "strict", "PORT": "1"}


def test_names_the_line_that_is_not_utf_8(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^some.env, line 2: is not UTF-8\.$"):
        read(tmp_path, b"PORT=1\nSECRET_KEY=\xff\n")


def test_lets_another_program_s_names_through_and_tells_them(tmp_path: Path) -> None:
    found = read(tmp_path, "POSTGRES_PASSWORD=a # b\nPORT=1\nspring.x=y\n")

    assert found.unknown == ("POSTGRES_PASSWORD", "spring.x")
    assert found.values["POSTGRES_PASSWORD"] == "a # b"


@pytest.mark.parametrize("value", ["", "plain-1", "a b#c 'd' \"e\" \\ $f `g` é", " # ", "'", '"'])
def test_reads_back_the_line_it_writes(value: str, tmp_path: Path) -> None:
    assert read(tmp_path, dotenv.line(name="PORT", value=value)).values == {"PORT": value}


# --- As every command meets it -----------------------------------------------------------------


def command(folder: Path, content: str, **env: str) -> "subprocess.CompletedProcess[str]":
    path = folder / "some.env"
    path.write_text(content, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", _SHOW],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "ENV_FILE": str(path), "SECRET_KEY": "x", **env},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


_SHOW = (
    "from django.conf import settings as s; "
    "print(s.CONSENT_MODE, ascii(s.GENESYS_CLIENT_SECRET), s.DOTENV_UNKNOWN, '\u2026')"
)


def test_stops_every_command_with_one_line(tmp_path: Path) -> None:
    ended = command(tmp_path, f"GENESYS_CLIENT_SECRET = {SECRET}\nCONSENT_MODE=strict\n")

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == (
        "guestportal: some.env, line 1: GENESYS_CLIENT_SECRET: write NAME=value, "
        "with no blank around the = sign.\n"
    )


def test_looks_at_no_name_in_the_environment(tmp_path: Path) -> None:
    ended = command(tmp_path, "OTHER=1\n", GENESYS_SECRET="x", SECRET_KEYS="x")

    assert ended.stdout == "compat '' ('OTHER',) …\n"


@pytest.mark.parametrize(
    "locale",
    [{"LC_ALL": "C"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}],
    ids=["C", "C, and Python told to believe it"],
)
def test_speaks_utf_8_whatever_the_locale(locale: dict[str, str], tmp_path: Path) -> None:
    ended = command(tmp_path, "GENESYS_CLIENT_SECRET=é\n", **locale)

    assert ended.stdout == "compat '\\xe9' () …\n", ended.stderr


@pytest.mark.parametrize("kind", ["missing", "folder"])
def test_refuses_a_file_that_cannot_be_read(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = tmp_path / kind
    if kind == "folder":
        named.mkdir()
    ended = command(tmp_path, "", ENV_FILE=str(named))

    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert ended.stderr.startswith("guestportal: ")


def test_refuses_a_link_that_leads_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ENV_FILE", raising=False)
    link = tmp_path / ".env"
    link.symlink_to(tmp_path / "a-disk-that-is-not-there")

    with pytest.raises(ImproperlyConfigured, match=r"\.env cannot be read"):
        reading.read_dotenv(link, ours=OURS)


def test_the_demo_keeps_its_settings_for_its_owner_and_reads_them_again(tmp_path: Path) -> None:
    from guestportal.management.commands import run_demo

    path = tmp_path / "var" / "demo.env"
    demo = run_demo._secrets({}) | run_demo._settings(9000) | {"DEMO_PASSWORD": "of the demo"}
    demo["SESSION_HASH_PEPPER"] = "a # 'pepper' with $igns \\ \""

    run_demo._write(path, demo)

    assert run_demo._read(path) == demo
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
