"""A file with anything wrong in it is refused by row and column, and nothing of it is stored."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from audit.models import AuditEvent
from crm.imports.csvfile import MAX_ROW
from crm.models import CrmRecord
from tests.crm.factories import HEADER, csv_file, csv_text, plain_hash

pytestmark = pytest.mark.django_db

HASHED = ("session_hash", *HEADER[1:])


def refusal(folder, content):
    """Import a file that must be refused, and return what the operator reads."""
    with pytest.raises(CommandError) as refused:
        call_command("import_crm", csv_file(folder, content))
    assert refused.value.returncode == 1
    return str(refused.value)


def test_refuses_a_file_with_a_bad_row_and_writes_nothing(tmp_path):
    text = csv_text({}, {"email": "nonsense"}, {})

    refusal(tmp_path, text)

    assert not CrmRecord.objects.exists()
    assert not AuditEvent.objects.filter(kind="crm.imported").exists()


@pytest.mark.parametrize(
    ("cell", "sentence"),
    [
        ({"email": "nonsense"}, "row 3, email: This is not an e-mail address."),
        ({"email": "a" * 250 + "@b.de"}, "row 3, email: This is longer than 254 characters."),
        ({"first_name": "x" * 101}, "row 3, first_name: This is longer than 100 characters."),
        ({"tier": "a\tb"}, "row 3, tier: Control characters"),
        ({"tier": "a\nb"}, "row 3, tier: Control characters"),
        ({"tier": "a\x00b"}, "row 3, tier: Control characters"),
        ({"tier": "a\x85b"}, "row 3, tier: Control characters"),
        ({"previous_tickets": "-1"}, "row 3, previous_tickets: This is not a whole number"),
        ({"previous_tickets": ""}, "row 3, previous_tickets: This is not a whole number"),
        ({"previous_tickets": "2147483648"}, "row 3, previous_tickets: This is not a whole"),
        ({"previous_tickets": "٣"}, "row 3, previous_tickets: This is not a whole number"),
        ({"session_id": ""}, "row 3, session_id: A session id is 1 to 256 characters."),
        ({"session_id": "x" * 257}, "row 3, session_id: A session id is 1 to 256 characters."),
        ({"session_id": "a\x1fb"}, "row 3, session_id: Control characters"),
    ],
)
def test_names_row_and_column(tmp_path, cell, sentence):
    assert sentence in refusal(tmp_path, csv_text({}, cell, {}))


@pytest.mark.parametrize("wrong", ["", "abc", "g" * 64, "0" * 65])
def test_refuses_a_hash_of_another_shape(tmp_path, wrong):
    text = csv_text({"session_hash": wrong}, header=HASHED)

    assert "row 2, session_hash: This is not a hash" in refusal(tmp_path, text)


def test_counts_rows_as_a_spreadsheet_does(tmp_path):
    text = csv_text({"first_name": "two\nlines"}).replace("\r\n", "\r\n\r\n") + "short\r\n"

    message = refusal(tmp_path, text)

    assert "row 3, first_name" in message
    assert "row 5: It has 1 cells where the header has 5." in message


@pytest.mark.parametrize("extra", ["session-9", "session-9,a@b.de,A,Gold,1,more"])
def test_refuses_a_row_with_too_few_or_too_many_cells(tmp_path, extra):
    assert "row 3: It has" in refusal(tmp_path, csv_text({}) + extra + "\r\n")


def test_names_both_rows_of_a_session_given_twice(tmp_path):
    text = csv_text({}, {"session_id": "twin"}, {}, {"session_id": "twin"})

    assert "row 5: The same session is in row 3." in refusal(tmp_path, text)


def test_a_hash_in_capitals_is_the_same_session(tmp_path):
    twins = [{"session_hash": plain_hash()}, {"session_hash": plain_hash().upper()}]

    text = csv_text(*twins, header=HASHED)

    assert "row 3: The same session is in row 2." in refusal(tmp_path, text)


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        ("", "The file is empty: it has neither a header nor rows."),
        ("Export of May,,", "row 1: This row should be the header, and has none of its labels"),
        ("session_id", "Columns are missing: email, first_name, tier, previous_tickets."),
        ("session_id,email,tier", "Columns are missing: first_name, previous_tickets."),
        (",".join(HEADER[1:]), "Exactly one of session_id and session_hash is needed."),
        (",".join((*HEADER, "session_hash")), "Exactly one of session_id and session_hash"),
        (",".join((*HEADER, "email")), "row 1, column 6: It is read as email, as column 2 is."),
        (",".join((*HEADER, "E-Mail")), "row 1, column 6: It is read as email, as column 2 is."),
        (",".join((*HEADER, "Session-Hash")), "Exactly one of session_id and session_hash"),
        (",".join((*HEADER, "zip", " zip ")), "row 1, column 7: It has the same name as column 6."),
        (",".join((*HEADER, "z" * 65)), "row 1, column 6: A name is 1 to 64 characters"),
        (f'"{",".join(HEADER)}"', "row 1: The whole header is one cell"),
        (",".join(f"c{n}" for n in range(101)), "A file has at most 100 columns."),
    ],
)
def test_refuses_another_header(tmp_path, header, sentence):
    assert sentence in refusal(tmp_path, header + "\n")


@pytest.mark.parametrize("broken", ['"open', '"a"b', '"' + "x" * 200_000])
def test_stops_where_the_file_is_no_longer_csv(tmp_path, broken):
    assert "row 3: From here on this is not CSV" in refusal(tmp_path, csv_text({}) + broken)


def test_shows_the_first_hundred_errors_and_counts_the_rest(tmp_path):
    message = refusal(tmp_path, csv_text(*[{"email": "nonsense"}] * 130))

    assert message.count("row ") == 100
    assert "errors: 130" in message
    assert message.endswith("and 30 more")


def test_quotes_nothing_of_the_file(tmp_path):
    secret = {"session_id": "raw\x01id", "email": "jane.doe", "first_name": "Jane\x02", "tier": "J"}

    message = refusal(tmp_path, csv_text({**secret, "previous_tickets": "J"}))

    assert not any(word in message for word in ("raw", "jane", "Jane"))


def test_refuses_a_headless_file_without_quoting_its_first_row(tmp_path):
    rows = csv_text({"email": "jane@example.com"}).split("\r\n", 1)[1]

    assert "jane" not in refusal(tmp_path, rows)


def test_says_when_the_file_is_not_there(tmp_path):
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        call_command("import_crm", str(tmp_path / "absent.csv"))


def test_a_failing_database_is_told_without_its_message(tmp_path):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE crm_crmrecord RENAME TO gone")

    assert refusal(tmp_path, csv_text({})) == "The database failed; nothing was imported."


def test_says_so_where_a_row_is_too_long_to_be_parted(tmp_path):
    text = csv_text({}) + "," * (MAX_ROW + 1) + "\r\n" + csv_text({"email": "nonsense"})

    assert "row 3: It is longer than 1,048,576 characters." in refusal(tmp_path, text)


def test_says_so_where_one_row_goes_on_over_many_lines(tmp_path):
    text = csv_text({}) + '"a\n",' * (MAX_ROW // 4)

    assert "row 3: It is longer than 1,048,576 characters." in refusal(tmp_path, text)


def test_counts_blank_rows_that_it_skips(tmp_path):
    text = csv_text({}) + "\r\n,,,,\r\n , ,\r\n" + "short\r\n"

    assert "row 6: It has 1 cells" in refusal(tmp_path, text)
