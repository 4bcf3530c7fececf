"""Legal holds in the admin: placed on a person's page, lifted by deleting one."""

from crm.models import CrmRecord
from crm.sessions import hash_session
from provisioning.models import LegalHold
from provisioning.subjects import holds
from tests.provisioning.admin.test_person import FIND, erase, find
from tests.support.confirming import confirm
from tests.support.visitor import SESSION, events

HOLDS = "/admin/provisioning/legalhold/"
KEY = hash_session(session_id=SESSION)


def hold(browser, **fields):
    form = {"do": "hold", "reference": "case-9"} | fields
    return browser.post(find(browser), form, follow=True)


def test_places_a_hold_on_a_person_without_asking_for_a_hash(reviewer, jane):
    page = hold(reviewer).content.decode()

    assert "<bdi>case-9</bdi>, since" in page
    assert LegalHold.objects.get().session_hash == KEY
    assert events("hold.placed")[0]["actor"].startswith("staff:")


def test_places_no_hold_under_a_name(reviewer, jane):
    page = hold(reviewer, reference="Jane Doe").content.decode()

    assert "A reference is 1 to 64 of" in page
    assert not LegalHold.objects.exists()


def test_leads_from_the_list_of_holds_to_the_person(reviewer):
    page = reviewer.get(f"{HOLDS}add/", follow=True)

    assert page.redirect_chain[0][0] == FIND
    assert "a hold is placed on their page" in page.content.decode()


def test_says_that_a_hold_forbids_the_erasure(reviewer, jane):
    hold(reviewer)

    page = erase(reviewer).content.decode()

    assert "Legal hold case-9: nothing was erased" in page
    assert CrmRecord.objects.exists()


def test_lifts_a_hold_by_deleting_it(reviewer, jane):
    hold(reviewer)

    number = LegalHold.objects.get().pk
    page = f"{HOLDS}{number}/delete/"
    reviewer.post(page, {"post": "yes"})
    assert LegalHold.objects.exists()
    confirm(reviewer, page, {}, by="get")

    assert not LegalHold.objects.exists()
    assert [len(events(kind)) for kind in ("hold.placed", "hold.lifted")] == [1, 1]


def test_lifts_selected_holds_only_when_it_is_confirmed(reviewer, jane):
    holds.place(session_hash=KEY, reference="case-9", actor="dpo")
    chosen = {"action": "delete_selected", "_selected_action": [LegalHold.objects.get().pk]}

    page = reviewer.post(HOLDS, chosen | {"post": "yes"}).content.decode()
    assert "To how many: 1" in page
    assert "case-9" in page
    assert LegalHold.objects.exists()
    confirm(reviewer, HOLDS, chosen)

    assert not LegalHold.objects.exists()
    assert events("hold.lifted")[0]["actor"].startswith("staff:")
