"""`export_audit` writes a bundle that its own verifier, alone, finds true or names the fault of."""

import json
import os
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from audit import log
from audit.models import AuditEvent
from audit.offline import verify_bundle
from audit.sealing import receipt_keys, seals, signing
from tests.audit.factories import event, events, sealed_event

pytestmark = pytest.mark.django_db


def _export(output: Path, *arguments: str) -> Path:
    call_command("export_audit", "--output", str(output), "--actor", "auditor", *arguments)
    return output


def _check(bundle: Path, *arguments: str, python: tuple[str, ...] = ("-I",)):
    script = bundle / "verify_bundle.py"
    command = [sys.executable, *python, str(script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def _edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    "typed",
    [
        ("--subject", "jane.doe@example.com"),
        ("--subject", "A" * 64),
        ("--kind", "jane.doe@example.com"),
        ("--since", "9999-12-31T23:59:59-14:00"),
        ("--until", "0001-01-01T00:00+14:00"),
    ],
)
def test_seals_nothing_that_was_typed_and_is_no_word_of_the_log(typed, tmp_path):
    with pytest.raises(CommandError, match="argument --"):
        _export(tmp_path / "bundle", *typed)

    assert not AuditEvent.objects.exists()


@pytest.fixture
def bundle(tmp_path):
    """Seven events in two seals, exported."""
    events(4)
    seals.seal()
    events(3)
    return _export(tmp_path / "bundle")


def test_exports_a_bundle_that_verifies_alone(bundle):
    result = _check(bundle)

    assert result.returncode == 0, result.stdout
    assert "7 records, 2 seals" in result.stdout


def test_exports_a_zip_file_that_verifies(tmp_path):
    sealed_event()
    archive = _export(tmp_path / "bundle.zip")
    script = tmp_path / "verify_bundle.py"
    script.write_bytes(zipfile.ZipFile(archive).read("verify_bundle.py"))

    result = subprocess.run(
        [sys.executable, "-I", str(script), str(archive)], capture_output=True, text=True
    )

    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("name", ["bundle", "bundle.zip"])
def test_writes_for_its_owner_alone_whatever_the_umask(name, tmp_path):
    sealed_event()
    before = os.umask(0)
    try:
        output = _export(tmp_path / name)
    finally:
        os.umask(before)

    files = [output, *output.iterdir()] if output.is_dir() else [output]
    assert {stat.S_IMODE(file.stat().st_mode) & 0o077 for file in files} == {0}


def test_says_that_signatures_were_not_checked_without_the_library(bundle):
    result = _check(bundle, python=("-I", "-S"))

    assert result.returncode == 3
    assert "signatures NOT CHECKED" in result.stdout


def test_believes_only_the_key_it_was_given(bundle):
    assert _check(bundle, "--key", signing.public_key_hex()).returncode == 0

    result = _check(bundle, "--key", "33" * 32)

    assert result.returncode == 3
    assert "unknown key" in result.stdout


def test_names_a_stranger_who_sealed_after_the_newest_key(tmp_path, settings):
    sealed_event()
    own, settings.AUDIT_SIGNING_KEY = settings.AUDIT_SIGNING_KEY, "22" * 32
    sealed_event()
    settings.AUDIT_SIGNING_KEY = own

    result = _check(_export(tmp_path / "b"), "--key", signing.public_key_hex())

    assert result.returncode == 1
    assert "seal 2: signed with an unknown key" in result.stdout


def test_could_not_check_an_earlier_key_that_it_was_not_given(tmp_path, settings):
    sealed_event()
    settings.AUDIT_SIGNING_KEY = "22" * 32
    sealed_event()

    result = _check(_export(tmp_path / "b"), "--key", signing.public_key_hex())

    assert result.returncode == 3


FILES = ["records.jsonl", "seals.jsonl", "anchors.jsonl", "manifest.json", "manifest.sig.json"]


@pytest.mark.parametrize("name", FILES)
def test_calls_a_bundle_without_a_file_incomplete(bundle, name):
    (bundle / name).unlink()

    result = _check(bundle)

    assert result.returncode == 4
    assert f"{name}: is missing" in result.stdout


@pytest.mark.parametrize("name", FILES)
def test_calls_a_bundle_with_an_emptied_file_incomplete(bundle, name):
    (bundle / name).write_text("")

    assert _check(bundle).returncode == 4


@pytest.mark.parametrize("name", ["manifest.json", "manifest.sig.json"])
def test_calls_a_bundle_with_a_document_that_ends_early_incomplete(bundle, name):
    (bundle / name).write_bytes((bundle / name).read_bytes()[:-20])

    assert _check(bundle).returncode == 4


@pytest.mark.parametrize("name", ["records.jsonl", "seals.jsonl", "anchors.jsonl"])
@pytest.mark.parametrize("cut", [20, "a line"])
def test_calls_a_bundle_with_a_file_that_ends_early_incomplete(bundle, name, cut):
    content = (bundle / name).read_bytes()
    end = content.rstrip(b"\n").rfind(b"\n") + 1 if cut == "a line" else len(content) - cut
    (bundle / name).write_bytes(content[:end])

    told = not (name == "anchors.jsonl" and cut == "a line")  # which nothing else names
    assert _check(bundle).returncode == (4 if told else 1)


def test_names_what_was_changed_although_a_file_is_missing(bundle):
    (bundle / "anchors.jsonl").unlink()
    _edit(bundle / "records.jsonl", r"\"index\":2", r"\"index\":9")

    assert _check(bundle).returncode == 1


@pytest.mark.parametrize(("damage", "status"), [("cut", 4), ("bit", 1), ("other", 2)])
def test_tells_a_zip_file_that_ends_early_from_a_damaged_one(tmp_path, damage, status):
    sealed_event()
    archive = _export(tmp_path / "bundle.zip")
    content = bytearray(archive.read_bytes())
    if damage == "bit":
        content[100] ^= 255
    archive.write_bytes({"cut": content[:-400], "bit": content, "other": b"no zip"}[damage])

    script = Path(verify_bundle.__file__)
    command = [sys.executable, "-I", str(script), str(archive)]
    result = subprocess.run(command, capture_output=True, text=True)

    assert (result.returncode, result.stderr) == (status, "")


def test_names_an_edited_record(bundle):
    records = bundle / "records.jsonl"
    third = json.loads(records.read_text().splitlines()[2])
    _edit(records, r"\"index\":2", r"\"index\":9")

    result = _check(bundle)

    assert result.returncode == 1
    assert f"event {json.loads(third['body'])['id']}: is not what seal 1" in result.stdout


def test_names_a_record_taken_out(bundle):
    records = bundle / "records.jsonl"
    lines = records.read_text().splitlines(keepends=True)
    records.write_text("".join(lines[:3] + lines[4:]))

    assert "records.jsonl: has 6 of 7 records" in _check(bundle).stdout


def test_names_a_record_given_twice(bundle):
    records = bundle / "records.jsonl"
    lines = records.read_text().splitlines(keepends=True)
    records.write_text("".join([lines[0], *lines]))

    assert "stands twice" in _check(bundle).stdout


def test_names_a_line_that_is_not_json(bundle):
    _edit(bundle / "records.jsonl", '{"seal"', '{"seal')

    result = _check(bundle)

    assert result.returncode == 1
    assert "records.jsonl, line 1: is malformed" in result.stdout


def test_names_an_edited_seal(bundle):
    _edit(bundle / "seals.jsonl", '"count": 4', '"count": 5')

    assert "seal 1: its hash is not that of its contents" in _check(bundle).stdout


def test_names_a_seal_that_is_not_the_one_anchored(bundle):
    line = json.loads((bundle / "anchors.jsonl").read_text().splitlines()[1])
    _edit(bundle / "anchors.jsonl", line["hash"], "0" * 64)

    assert "seal 2: is not the one anchored" in _check(bundle).stdout


def test_names_the_key_of_receipts_in_manifest_and_anchors(bundle):
    own = receipt_keys.own_thumbprint()
    manifest = json.loads((bundle / "manifest.json").read_text())
    lines = (bundle / "anchors.jsonl").read_text().splitlines()

    assert [key["kid"] for key in manifest["receipt_keys"]["keys"]] == [own]
    assert {json.loads(line)["receipt_key"] for line in lines} == {own}
    assert f"thumbprint {own}" in _check(bundle).stdout


def test_names_an_edited_manifest(bundle):
    _edit(bundle / "manifest.json", "auditor", "nobody!")

    assert "manifest.json: its signature does not verify" in _check(bundle).stdout


def test_names_any_other_file_that_changed(bundle):
    (bundle / "anchors.jsonl").write_text("")

    assert "anchors.jsonl: is not the file that was exported" in _check(bundle).stdout


def test_exports_only_what_was_asked_for(tmp_path):
    event(kind="guest.created", subject="a" * 64)
    event(kind="token.issued", subject="a" * 64)
    event(kind="guest.created", subject="b" * 64)

    made = _export(tmp_path / "b", "--kind", "guest.created", "--subject", "a" * 64)

    assert len((made / "records.jsonl").read_text().splitlines()) == 1
    assert _check(made).returncode == 0


def test_exports_from_one_time_to_another(tmp_path):
    made = events(3)
    since, until = (log.timestamp(made[index].time) for index in (1, 2))

    bundle = _export(tmp_path / "b", "--since", since, "--until", until)

    record = json.loads((bundle / "records.jsonl").read_text())
    assert json.loads(record["body"])["id"] == str(made[1].id)


def test_exports_an_empty_choice_that_verifies(tmp_path):
    sealed_event()

    made = _export(tmp_path / "b", "--kind", "nothing")

    assert _check(made).returncode == 0


def test_records_who_exported_what(bundle):
    exported = AuditEvent.objects.get(kind="audit.exported")

    assert exported.actor == "auditor"
    assert json.loads(exported.body)["data"] == {"filter": {}, "rows": 7}


def test_refuses_to_write_over_something(tmp_path):
    with pytest.raises(CommandError, match="exists"):
        _export(tmp_path)

    assert not AuditEvent.objects.exists()


def test_says_that_the_signing_key_is_missing(tmp_path, settings):
    settings.AUDIT_SIGNING_KEY = ""
    event()

    with pytest.raises(CommandError, match="AUDIT_SIGNING_KEY"):
        _export(tmp_path / "b")


def test_leaves_nothing_behind_when_it_cannot_finish(tmp_path, anchors):
    sealed_event()
    anchors.write_bytes(anchors.read_bytes() + b"not an anchor\n")

    with pytest.raises(CommandError, match="line 2 is not an anchor"):
        _export(tmp_path / "b")

    assert list(tmp_path.iterdir()) == []
