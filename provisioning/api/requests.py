"""What a webchat request may say (contract, sections 3 and 4): fields, serializers, headers.

The fields word their errors as the contract does; the serializers are made of them.
`verify_session` checks the proof that the website's own backend knows the session; `init_request`
turns a validated body and its headers into what the pipeline takes.
"""

import functools
import hashlib
import hmac
import json
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from rest_framework import serializers
from rest_framework.utils.serializer_helpers import BindingDict

from backoffice.foreign import storable
from backoffice.inert import visible
from provisioning.init.idempotency import RepeatKey
from provisioning.init.planning import InitRequest
from provisioning.models import ConsentType
from provisioning.validators import LANGUAGE

_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class IdentityRequired(Exception):
    """The session id came without a valid signature, and one is required."""


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
    """One of a few words; whatever is wrong with another value, the error lists them."""

    def __init__(self, *, words: tuple[str, ...], **kwargs: Any) -> None:
        shape = f"one of: {', '.join(words)}"
        super().__init__(limit=64, pattern="|".join(words), shape=shape, **kwargs)
        self.words = words

    def fail(self, key: str, **kwargs: Any) -> Any:
        super().fail("shape")


def _language(meaning: str) -> PlainString:
    return PlainString(
        limit=35,
        pattern=f"^{LANGUAGE.pattern}$",
        shape="a BCP 47 language tag",
        required=False,
        help_text=meaning,
    )


class SessionSerializer(serializers.Serializer[Any]):
    """A request about one session; fields we do not know are ignored, unless one is misspelt."""

    default_error_messages = {"invalid": "The request body must be a JSON object."}

    @functools.cached_property
    def fields(self) -> Any:
        return _fields(type(self))

    def run_validation(self, data: Any = serializers.empty) -> Any:
        # DRF answers null before to_internal_value, without our wording.
        return super().run_validation([] if data is None else data)

    def to_internal_value(self, data: Any) -> Any:
        misspelt = _misspelt(data, self.fields) if isinstance(data, Mapping) else {}
        try:
            body = super().to_internal_value(data)
        except serializers.ValidationError as exc:
            # Ours first: what is said of a missing sessionId is the answer's sentence.
            raise serializers.ValidationError({**exc.detail, **misspelt}) from exc  # type: ignore[dict-item]
        if misspelt:
            raise serializers.ValidationError(misspelt)
        return body

    sessionId = PlainString(limit=256, help_text="The browser session. Only its hash is used.")
    sessionSignature = PlainString(
        limit=64,
        required=False,
        help_text="Hex HMAC-SHA-256 of sessionId; needed where identity verification is required.",
    )


class GuestSerializer(SessionSerializer):
    """A request about one guest of the session."""

    guestId = PlainString(limit=128, help_text="As init answered it.")


class InitSerializer(SessionSerializer):
    """A request for a guest."""

    consentGiven = PlainBoolean(
        required=False,
        help_text="What the visitor decided. Omitted: assumed, declined or refused (CONSENT_MODE).",
    )
    consentType = Word(
        words=tuple(ConsentType.values), required=False, help_text="Omitted: explicit."
    )
    noticeVersion = PlainString(
        limit=64, required=False, help_text="Which privacy notice the visitor saw."
    )
    language = _language("Of the notice: a BCP 47 tag.")


class NoticeQuery(serializers.Serializer[Any]):
    """What is asked of the notice in effect."""

    language = _language(
        "The reader's: a BCP 47 tag. `de-AT` finds `de`, and the only one there is."
    )


def folded(name: str) -> str:
    """Return a field's name as it is compared: in lower case, without blanks, ``_`` and ``-``."""
    return re.sub(r"[\s_-]", "", name).lower()


def _misspelt(data: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return a sentence for each of `fields` that is absent while another name resembles it.

    A misspelt *no* must not count as silence. The names are the client's: cut, and made storable.
    """
    unknown = data.keys() - fields.keys()
    found: dict[str, list[str]] = {}
    if not unknown:
        return found
    for field in [name for name in fields if name not in data]:
        near = _one_letter_apart if field == "consentGiven" else str.__eq__
        alike = sorted(name for name in unknown if near(folded(name), folded(field)))
        if alike:
            name = visible(storable(alike[0], limit=64))
            found[name] = [f"{name} is not a field of this request: did you mean {field}?"]
    return found


def _one_letter_apart(one: str, other: str) -> bool:
    """Tell whether two words are equal but for at most one letter more, fewer or other."""
    while one and other and one[0] == other[0]:
        one, other = one[1:], other[1:]
    return one[1:] in (other, other[1:]) or one == other[1:]


@functools.cache
def _fields(kind: type[SessionSerializer]) -> BindingDict:
    """Return the fields of all serializers of a kind: ours hold nothing of one request.

    DRF makes copies of them for each, which took 3 % of an init.
    """
    first = kind()
    fields = BindingDict(first)
    for name, each in first.get_fields().items():
        fields[name] = each
    return fields


def verify_session(*, session_id: str, signature: str) -> None:
    """Check the hex HMAC-SHA-256 of `session_id` under IDENTITY_SECRET, where required.

    Raises IdentityRequired.
    """
    if settings.IDENTITY_VERIFICATION != "required":
        return
    key = settings.IDENTITY_SECRET.encode()
    expected = hmac.new(key, session_id.encode(), hashlib.sha256).hexdigest()
    # An empty key would let everybody sign.
    if not key or not hmac.compare_digest(expected.encode(), signature.lower().encode()):
        raise IdentityRequired


def init_request(
    *, body: Mapping[str, Any], headers: Mapping[str, str], request_id: str, event_request_id: str
) -> InitRequest:
    """Return the pipeline's request from a validated `body`, the HTTP headers and both its ids.

    Raises ValidationError for an Idempotency-Key that is none.
    """
    return InitRequest(
        session_id=body["sessionId"],
        request_id=request_id,
        event_request_id=event_request_id,
        consent_given=body.get("consentGiven"),
        consent_type=body.get("consentType"),
        notice_version=body.get("noticeVersion", ""),
        language=body.get("language", ""),
        gpc=headers.get("Sec-GPC") == "1",
        repeat_key=_repeat_key(body, headers.get("Idempotency-Key")),
    )


def prefers_async(headers: Mapping[str, str]) -> bool:
    """Tell whether ``Prefer`` holds ``respond-async`` (RFC 7240, sections 2 and 4.1)."""
    preferences = headers.get("Prefer", "").split(",")
    names = (preference.partition(";")[0].partition("=")[0] for preference in preferences)
    return "respond-async" in {name.strip().lower() for name in names}


def _repeat_key(body: Mapping[str, Any], value: str | None) -> RepeatKey | None:
    if value is None:
        return None
    if not _IDEMPOTENCY_KEY.fullmatch(value):
        sentence = "Idempotency-Key must be 1 to 255 visible ASCII characters."
        raise serializers.ValidationError({"Idempotency-Key": [sentence]})
    # What was asked, without who asked: the key is scoped by session already.
    asked = {name: body[name] for name in body if not name.startswith("session")}
    text = json.dumps(asked, sort_keys=True)
    return RepeatKey(value=value, body_hash=hashlib.sha256(text.encode()).hexdigest())
