"""What a mapping makes of a profile."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crm.profiles import map_attributes
from tests.crm.factories import mapping, profile

MAX = 2**53 - 1
SCALARS = st.text() | st.integers() | st.floats() | st.booleans()


def mapped(*mappings, **fields):
    return map_attributes(profile=profile(**fields), mappings=mappings)


def from_cell(value, **fields):
    """What a mapping of the further attribute `cell` sends for `value`."""
    source = {"source_kind": "attribute", "source": "cell"}
    return mapped(mapping(**source, **fields), further={"cell": value}).get("target")


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("email", "jane.doe@example.com"),
        ("first_name", "Jane"),
        ("tier", "Gold"),
        ("previous_tickets", "12"),
    ],
)
def test_reads_each_field_of_the_record(source, value):
    assert mapped(mapping(source=source)) == {"target": value}


@pytest.mark.parametrize(
    ("value", "value_type", "sent"),
    [
        ("retail", "text", "retail"),
        (True, "text", "true"),
        (" 7 ", "integer", 7),
        (7.0, "integer", 7),
        (str(MAX), "integer", MAX),
        ("-1.5", "number", -1.5),
        (1e-9, "number", 1e-9),
        (3, "number", 3.0),
        ("Yes", "boolean", True),
        ("0", "boolean", False),
        (False, "boolean", False),
    ],
)
def test_converts_to_the_type_the_mapping_promises(value, value_type, sent):
    result = from_cell(value, value_type=value_type)

    assert result == sent
    assert type(result) is type(sent)


@pytest.mark.parametrize(
    ("value", "value_type"),
    [
        ("gold", "integer"),
        ("1.5", "integer"),
        (True, "integer"),
        ("1_000", "integer"),
        ("٣", "integer"),
        (str(MAX + 1), "integer"),
        ("nan", "number"),
        ("1e400", "number"),
        ("maybe", "boolean"),
        (2, "boolean"),
        ("", "text"),
    ],
)
def test_sends_the_default_for_a_value_of_another_type(value, value_type):
    default = {"integer": "5", "number": "0.5", "boolean": "no", "text": "none"}[value_type]

    sent = from_cell(value, value_type=value_type, default=default)

    assert sent == {"integer": 5, "number": 0.5, "boolean": False, "text": "none"}[value_type]


def test_leaves_out_an_attribute_without_value_and_default():
    absent = mapping(source_kind="attribute", source="segment")

    assert mapped(absent) == {}


def test_sends_the_default_of_an_absent_attribute():
    absent = mapping(source_kind="attribute", source="segment", default="none")

    assert mapped(absent) == {"target": "none"}


def test_sends_a_typed_constant():
    constant = mapping(source_kind="constant", source="3", value_type="integer")

    assert mapped(constant) == {"target": 3}


def test_a_disabled_mapping_sends_nothing():
    assert mapped(mapping(enabled=False)) == {}


def test_keeps_the_order_of_the_mappings():
    targets = ["zebra", "ape", "newt"]

    assert list(mapped(*(mapping(target=target) for target in targets))) == targets


@example(value=float("nan"), value_type="integer")
@example(value=float("-inf"), value_type="number")
@given(value=SCALARS, value_type=st.sampled_from(["text", "integer", "number", "boolean"]))
def test_sends_the_promised_type_as_strict_json_or_nothing(value, value_type):
    sent = from_cell(value, value_type=value_type)

    wanted = {"text": str, "integer": int, "number": float, "boolean": bool}[value_type]
    assert sent is None or type(sent) is wanted
    json.dumps(sent, allow_nan=False)


@given(value=st.integers(-MAX, MAX))
def test_an_integer_survives_its_way_through_a_text_cell(value):
    assert from_cell(str(value), value_type="integer") == value
