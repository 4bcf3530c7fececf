"""What would be sent: the exact payload under the stored mappings and one that is being edited."""

import dataclasses
import json
from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from audit import staff
from backoffice.inert import mask, mask_address, visible
from crm import profiles
from crm.admin import mappings
from crm.admin.records import REVEAL, find_records
from crm.models import AttributeMapping, CrmRecord
from crm.profiles import Profile
from provisioning.admin.people import require
from provisioning.init import planning
from provisioning.mappings import left_out

NOBODY = "00000000"

MappingForm = forms.modelform_factory(
    AttributeMapping,
    form=mappings.MappingForm,
    fields=["target", "source_kind", "source", "value_type", "default", "enabled", "order"],
)


def mapping_preview(request: HttpRequest) -> HttpResponse:
    """Show the payload for the visitor named in the form; with ``X-Preview``, that part alone."""
    require(request, "crm.view_attributemapping")
    form = _form(request)
    record, found = _visitor(request)
    shown = _mappings(form)
    context = {
        "form": form if form and not form.is_valid() else None,
        "unchecked": form.unchecked if form else "",
        "found": found,
        "record": record,
        "visitor": "",
        "payload": _payload(record, _seen(request, record), shown),
        "left_out": left_out(mappings=shown),
    }
    template = "admin/provisioning/preview_part.html"
    if not request.headers.get("X-Preview"):
        template = "admin/provisioning/preview.html"
        context |= admin.site.each_context(request) | {"title": "What would be sent"}
    return TemplateResponse(request, template, context, headers={"Cache-Control": "no-store"})


def _form(request: HttpRequest) -> Any:
    """Return the posted mapping's form, or None where only the stored ones are asked for."""
    if request.method != "POST" or "target" not in request.POST:
        return None
    number = request.POST.get("preview_mapping", "")
    stored = AttributeMapping.objects.filter(pk=number).first() if number.isdigit() else None
    return MappingForm(request.POST, instance=stored)


def _visitor(request: HttpRequest) -> tuple[CrmRecord | None, bool]:
    """Return the record that the form names, and whether what it names was found."""
    term = request.POST.get("preview_visitor", "")
    if not term.strip():
        return None, True
    record = CrmRecord.objects.filter(pk__in=find_records(term=term)).order_by("-pk").first()
    return record, record is not None


def sample(shown: Iterable[AttributeMapping]) -> dict[str, str]:
    """Return what `shown` would send, masked, for the visitor of the newest CRM record."""
    record = CrmRecord.objects.order_by("-pk").first()
    profile = _masked(_profile(record)) if record else _profile(None)
    whose = str(record or "A visitor whom the CRM does not know")
    return {"whose": whose, "payload": _payload(record, profile, shown)}


def _seen(request: HttpRequest, record: CrmRecord | None) -> Profile:
    """Return the profile of `record`, in clear and recorded only for who may see it so."""
    profile = _profile(record)
    if record is None:
        return profile
    if not request.user.has_perm(REVEAL):
        return _masked(profile)
    data = {"purpose": "mapping preview"}
    staff.record_reveal(request, session_hash=record.session_hash, data=data)
    return profile


def _profile(record: CrmRecord | None) -> Profile:
    if record is None:
        return profiles.unknown_profile(pseudonym=NOBODY)
    return profiles.find_profile(session_hash=record.session_hash)


def _payload(record: CrmRecord | None, profile: Profile, shown: Iterable[AttributeMapping]) -> str:
    guest = planning.guest_request(
        profile=profile,
        given=True,
        consent_type="explicit",
        session_hash=record.session_hash if record else "",
    )
    attributes = profiles.map_attributes(profile=profile, mappings=shown)
    sent = dataclasses.replace(guest, attributes=attributes).message.body
    return visible(json.dumps(sent, indent=2, ensure_ascii=False))


def _mappings(form: Any) -> list[AttributeMapping]:
    """Return the stored mappings with the one being edited in its place."""
    stored = list(AttributeMapping.objects.all())
    if form is None or not form.is_valid():
        return stored
    edited = form.instance
    others = [mapping for mapping in stored if mapping.pk != edited.pk]
    return sorted([*others, edited], key=lambda mapping: (mapping.order, mapping.target))


def _masked(profile: Profile) -> Profile:
    return dataclasses.replace(
        profile,
        email=mask_address(profile.email),
        first_name=mask(profile.first_name),
        further=dict.fromkeys(profile.further, "…"),
    )
