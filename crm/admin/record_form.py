"""The form for one CRM record."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from crm import validators
from crm.admin.attributes import AttributesField
from crm.models import RECORD_FIELDS, CrmRecord
from crm.sessions import hash_session


class CrmRecordForm(forms.ModelForm):  # type: ignore[type-arg]
    """A record as people know it: by the session id, of which only the key is kept."""

    session_id = forms.CharField(
        label="Session ID",
        max_length=validators.MAX_SESSION_ID,
        strip=False,
        help_text="As the page sends it, not its hash. It is hashed and not stored.",
        widget=forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off"}),
    )
    attributes = AttributesField(
        label="Further attributes",
        required=False,
        help_text="A row whose value is empty is left out. For more rows: save and continue.",
    )

    class Meta:
        model = CrmRecord
        fields = [*RECORD_FIELDS, "attributes"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields.pop("session_id", None)  # a record stays with its session
        if field := self.fields.get("attributes"):
            field.stored = self.instance.attributes  # type: ignore[attr-defined]

    def clean_session_id(self) -> str:
        """Give the record its key, which no other may have."""
        session_id: str = self.cleaned_data["session_id"]
        validators.validate_session_id(session_id)
        if session_id != session_id.strip():
            raise ValidationError("It begins or ends with a blank: take it without.")
        self.instance.session_hash = hash_session(session_id=session_id)
        if CrmRecord.objects.filter(session_hash=self.instance.session_hash).exists():
            raise ValidationError("This session already has a CRM record.")
        return session_id

    @property
    def changed_fields(self) -> list[str]:
        """The columns that are new or changed, for the audit log."""
        return ["session_hash" if name == "session_id" else name for name in self.changed_data]
