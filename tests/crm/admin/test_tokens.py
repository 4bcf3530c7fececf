"""API tokens in the admin: seen, and ended only once that is confirmed."""

import pytest
from django.contrib.auth.models import User

from crm.models import ApiToken
from crm.sync.tokens import issue_token
from tests.support.confirming import confirm
from tests.support.factories import signed_in
from tests.support.visitor import events

pytestmark = pytest.mark.django_db

TOKENS = "/admin/crm/apitoken/"


def test_ends_a_token_only_when_it_is_confirmed():
    issue_token(user=User.objects.create_superuser("crm-sync"), replace=False)
    administrator = signed_in("CRM administrator")
    chosen = {"action": "delete_selected", "_selected_action": [ApiToken.objects.get().pk]}

    page = administrator.post(TOKENS, chosen | {"post": "yes"}).content.decode()
    assert "crm-sync, made" in page
    assert ApiToken.objects.exists()
    confirm(administrator, TOKENS, chosen)

    assert not ApiToken.objects.exists()
    holder = User.objects.get(username="crm-sync")
    assert events("api_token.ended")[0]["data"] == {"who": f"staff:{holder.pk}"}


def test_ends_no_token_for_a_role_that_may_not():
    issue_token(user=User.objects.create_superuser("crm-sync"), replace=False)
    page = f"{TOKENS}{ApiToken.objects.get().pk}/delete/"

    assert signed_in("Auditor").post(page, {"confirm_tick": "on"}).status_code == 403
    assert ApiToken.objects.exists()
