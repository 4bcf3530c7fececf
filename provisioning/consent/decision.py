"""From what the visitor said to what we may do (contract, section 3, *Consent*).

Pure: no database, no settings. GDPR art. 4(11) and 7 ask for a freely given, unambiguous statement
that can be proved and taken back; so what was only assumed is never recorded as stated.
"""

from dataclasses import dataclass

from provisioning.models import ConsentBasis, ConsentType


@dataclass(frozen=True)
class Consent:
    """What holds for one init: `given`, of which `type`, and on which `basis`."""

    given: bool
    type: str
    basis: str


class ConsentRequired(Exception):
    """Strict mode, and nothing was said."""


class NoticeRequired(Exception):
    """Strict mode, and consent was given without a word of what the visitor was told."""


def decide(*, stated: bool | None, consent_type: str | None, mode: str, withdrawn: bool) -> Consent:
    """Return the consent that holds; `mode` is ``compat``, ``minimise`` or ``strict``.

    `withdrawn`: this session took its consent back and has not stated it again; then silence is a
    no in every mode. Raises ConsentRequired where strict mode needs a statement.
    """
    kind = consent_type or ConsentType.EXPLICIT.value
    if stated is not None:
        return Consent(stated, kind, ConsentBasis.STATED.value)
    if mode == "strict":
        raise ConsentRequired
    if withdrawn:
        return Consent(False, kind, ConsentBasis.WITHDRAWN.value)
    if mode == "minimise":
        return Consent(False, kind, ConsentBasis.OMITTED.value)
    return Consent(True, kind, ConsentBasis.ASSUMED.value)
