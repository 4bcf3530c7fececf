"""Why a sign-in by the identity provider failed: a sentence for the person, one for the operator.

The person's is on the page; the operator's is in the log, with what the code adds to it. Neither
holds a subject, a name, an address, a token or a group of the provider. Every failure is counted.
"""

import logging
from dataclasses import dataclass

from prometheus_client import Counter

logger = logging.getLogger(__name__)
SIGN_INS = Counter(
    "guestportal_sign_ins", "Sign-ins by the identity provider by what they ended with", ["outcome"]
)
CHECKS = Counter(
    "guestportal_sign_in_checks",
    "Looks at the groups of people who are signed in, by what they ended with",
    ["outcome"],
)
_AGAIN = "Please start again."
_TELL = "Please tell the people who run this service."
_NOT_SET_UP = f"Sign-in with your organisation is not set up rightly. {_TELL}"


@dataclass(frozen=True)
class Sentences:
    """What a failure is answered with: HTTP status, sentence for the person and the operator."""

    status: int
    person: str
    operator: str


SENTENCES: dict[str, Sentences] = {
    "unreachable": Sentences(
        503,
        "Your organisation's sign-in cannot be reached just now. Please try again in a minute.",
        "the identity provider cannot be reached (OIDC_ISSUER, OIDC_PROXY, OIDC_CA_BUNDLE)",
    ),
    "nonsense": Sentences(
        502,
        f"Your organisation's sign-in gave an answer that cannot be used. {_TELL}",
        "the identity provider answers outside OpenID Connect: look at OIDC_ISSUER",
    ),
    "issuer": Sentences(
        502,
        _NOT_SET_UP,
        "OIDC_ISSUER is not what the provider calls itself: copy `issuer` from its discovery "
        "document, letter by letter",
    ),
    "redirect": Sentences(
        502,
        _NOT_SET_UP,
        "the provider refuses our request: register the client OIDC_CLIENT_ID there with exactly "
        "this redirect URI",
    ),
    "client": Sentences(
        502, _NOT_SET_UP, "the provider does not accept OIDC_CLIENT_ID with OIDC_CLIENT_SECRET"
    ),
    "provider_error": Sentences(
        502,
        f"Your organisation's sign-in ended with an error. {_TELL}",
        "the provider ended the sign-in with an error",
    ),
    "cancelled": Sentences(
        403,
        "The sign-in was cancelled or is not allowed for you there.",
        "the provider says access_denied: the person cancelled, or is not assigned to this client",
    ),
    "state": Sentences(
        403,
        f"This sign-in was used already, took too long, or began in another window. {_AGAIN}",
        "a callback without its own start: a second use, more than ten minutes, or another browser",
    ),
    "code": Sentences(
        403,
        f"This sign-in was used already or took too long. {_AGAIN}",
        "the provider refused the code (invalid_grant): used before, too old, or issued for "
        "another redirect URI",
    ),
    "token": Sentences(
        403,
        f"The answer of your organisation's sign-in cannot be trusted. {_AGAIN}",
        "the ID token was refused",
    ),
    "clock": Sentences(
        502,
        f"The clocks of this service and of your organisation's sign-in differ. {_TELL}",
        "the ID token's times do not fit our clock: set the clocks of both by NTP",
    ),
    "acr": Sentences(
        403,
        "Your organisation's sign-in was not strong enough, a second factor for example. "
        "Sign in there with it, then come again.",
        "the sign-in did not reach OIDC_REQUIRED_ACR: let the provider ask for it, and name it in "
        "the claim `acr`",
    ),
    "claim": Sentences(
        403,
        f"Your organisation does not say which groups you are in. {_TELL}",
        "the claim OIDC_GROUPS_CLAIM is neither in the ID token nor in userinfo: let the provider "
        "give it to this client (a mapper, or a scope in OIDC_SCOPES)",
    ),
    "too_many_groups": Sentences(
        403,
        f"Your organisation does not say which groups you are in. {_TELL}",
        "the provider left the groups out, as there are too many: let it give only those of this "
        "client, or use application roles (OIDC_GROUPS_CLAIM=roles)",
    ),
    "no_group": Sentences(
        403,
        "You are in no group that works here. Ask the people who give out your groups.",
        "somebody was refused: none of their groups is in OIDC_GROUP_MAP",
    ),
    "map": Sentences(
        502,
        _NOT_SET_UP,
        "OIDC_GROUP_MAP names groups of ours that do not exist: run setup_roles, or correct it",
    ),
    "disabled": Sentences(
        403,
        "Your account here is deactivated. Ask an administrator of this service.",
        "somebody was refused whose account here is deactivated",
    ),
    "ended": Sentences(
        403,
        "Your sign-in has run out. Please sign in again.",
        "the provider no longer vouches for a person who was signed in",
    ),
    "not_renewable": Sentences(
        403,
        "Your sign-in has run out. Please sign in again.",
        "groups cannot be asked for again: the provider gave no refresh token (OIDC_SCOPES: "
        "offline_access) and userinfo does not have the claim",
    ),
}


class SignInFailed(Exception):
    """A sign-in, or a look at one, ended badly; `code` is a key of SENTENCES.

    `detail` is for the operator and holds nothing that a person or the provider wrote.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail

    @property
    def sentences(self) -> Sentences:
        return SENTENCES[self.code]


def report(failure: SignInFailed, *, counter: Counter) -> None:
    """Count `failure` in `counter`, and log the operator's sentence."""
    counter.labels(failure.code).inc()
    detail = f" ({failure.detail})" if failure.detail else ""
    logger.warning(
        "sign-in refused: %s%s",
        failure.sentences.operator,
        detail,
        extra={"outcome": failure.code},
    )
