"""Parts of DRF that the API leans on without a promise: an upgrade that breaks one fails here."""

import pytest
from rest_framework import serializers

from provisioning.api.requests import GuestSerializer, InitSerializer, SessionSerializer

KINDS = (SessionSerializer, GuestSerializer, InitSerializer)


@pytest.mark.parametrize("kind", KINDS)
def test_serializer_fields_are_still_bound_once_for_all_requests(
    kind: type[SessionSerializer],
) -> None:
    first, second = kind(data={}), kind(data={})

    # `Serializer.fields` is what DRF validates with; ours is the same `BindingDict` each time.
    assert list(first._writable_fields) == list(second._writable_fields) != []
    assert all(a is b for a, b in zip(first._writable_fields, second._writable_fields, strict=True))
    assert list(first.fields) == list(serializers.Serializer.fields.func(kind()))


@pytest.mark.parametrize("kind", KINDS)
def test_shared_fields_still_keep_nothing_of_one_request(kind: type[SessionSerializer]) -> None:
    body = {"sessionId": "first", "guestId": "guest-1", "consentGiven": True}
    first = kind(data=body)
    first.is_valid(raise_exception=True)

    second = kind(data={"sessionId": "", "guestId": ""})

    assert not second.is_valid()
    assert first.validated_data["sessionId"] == "first"
    assert "sessionId is required in request body" in second.errors["sessionId"]
