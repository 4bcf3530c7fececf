"""Further attributes in a form: a row of name and value for each, and some that are still empty.

It needs no script. Values are read as an import reads them: as the type that the record has.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.datastructures import MultiValueDict

from crm import validators
from crm.conversion import Scalar, as_text, read_like
from crm.upsert import same_attributes

_EMPTY_ROWS = 3
_Rows = Sequence[tuple[str, str]]


class AttributeRows(forms.Widget):
    """Two inputs for each attribute, of the same names in every row."""

    template_name = "crm/attribute_rows.html"
    use_fieldset = True

    def id_for_label(self, id_: str) -> str:
        return ""  # a legend names the rows, and each input says of which it is

    def value_from_datadict(self, data: Any, files: MultiValueDict[str, Any], name: str) -> _Rows:
        names, values = (data.getlist(f"{name}-{part}") for part in ("name", "value"))
        return list(zip(names, values, strict=False))

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return f"{name}-name" not in data

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        return context | {"rows": [*_rows(value), *[("", "")] * _EMPTY_ROWS]}


class AttributesField(forms.Field):
    """The further attributes of a record, given as rows; rows without a value are left out.

    `stored`: those that the record has, whose types are kept.
    """

    widget = AttributeRows

    def __init__(self, *, stored: Mapping[str, Scalar] | None = None, **options: Any) -> None:
        self.stored = stored or {}
        super().__init__(**options)

    def to_python(self, value: _Rows | None) -> dict[str, Scalar]:
        """Return the attributes of `value`. Raises ValidationError, a sentence for each row."""
        attributes: dict[str, Scalar] = {}
        faults = []
        for number, (name, text) in enumerate(value or [], start=1):
            try:
                if text:
                    attributes |= self._attribute(name.strip(), text, attributes)
            except ValidationError as exc:
                faults.append(f"Row {number}: {exc.messages[0]}")
        if faults:
            raise ValidationError(faults)
        return attributes

    def _attribute(self, name: str, text: str, others: Mapping[str, Scalar]) -> dict[str, Scalar]:
        validators.validate_attribute_name(name)
        if name in others:
            raise ValidationError("Another row has the same name.")
        value = read_like(text=text, stored=self.stored.get(name))
        validators.validate_scalar(value)
        return {name: value}

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return not same_attributes(initial or {}, self.to_python(data))
        except ValidationError:
            return True


def _rows(value: Mapping[str, Scalar] | _Rows | None) -> _Rows:
    """Return the rows of stored attributes, or those that a form was sent with."""
    if isinstance(value, Mapping):
        return [(name, as_text(value[name])) for name in sorted(value)]
    return [(name, text) for name, text in value or [] if name or text]
