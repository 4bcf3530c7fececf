"""JSON values taken at their word: DRF would trim strings and read 1 or "yes" as true."""

import re
import unicodedata
from typing import Any

from rest_framework import serializers


class PlainString(serializers.CharField):
    """A JSON string, kept as it is; control characters and lone surrogates are refused."""

    default_error_messages = {
        "invalid": "{name} must be a string.",
        "blank": "{name} must not be empty.",
        "control": "{name} must not hold control characters.",
        "surrogate": "{name} must be valid Unicode.",
        "length": "{name} must have at most {limit} characters.",
        "required": "{name} is required in request body",
        "shape": "{name} must be {shape}.",
    }

    def __init__(self, *, limit: int, pattern: str = "", shape: str = "", **kwargs: Any) -> None:
        """Take at most `limit` characters and, with `pattern`, only what it matches in full."""
        super().__init__(trim_whitespace=False, **kwargs)
        self.limit, self.pattern, self.shape = limit, pattern, shape

    def fail(self, key: str, **kwargs: Any) -> Any:
        super().fail(key, name=self.field_name, limit=self.limit, shape=self.shape)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        # DRF answers an absent field and null before to_internal_value, without our wording.
        if data in (serializers.empty, None, "") and self.required:
            self.fail("required")
        if data is None:
            self.fail("invalid")
        return super().run_validation(data)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        if len(data) > self.limit:
            self.fail("length")
        kinds = {unicodedata.category(character) for character in data}
        if "Cc" in kinds:
            self.fail("control")
        if "Cs" in kinds:
            self.fail("surrogate")
        if self.pattern and not re.fullmatch(self.pattern, data):
            self.fail("shape")
        return str(data)


class PlainBoolean(serializers.BooleanField):
    """JSON ``true`` or ``false``, nothing else."""

    default_error_messages = {"invalid": "{name} must be true or false."}

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if data is not serializers.empty and not isinstance(data, bool):
            self.fail("invalid", name=self.field_name)
        return super().run_validation(data)


class Word(PlainString):
    """One of a few words."""

    default_error_messages = {"word": "{name} must be one of: {words}."}

    def __init__(self, *, words: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(limit=max(map(len, words)), **kwargs)
        self.words = words

    def fail(self, key: str, **kwargs: Any) -> Any:
        serializers.CharField.fail(self, "word", name=self.field_name, words=", ".join(self.words))

    def to_internal_value(self, data: Any) -> str:
        if data not in self.words or not isinstance(data, str):
            self.fail("word")
        return str(data)
