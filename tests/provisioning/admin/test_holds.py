"""Legal holds in the admin: placed by adding one, lifted by deleting it."""

from crm.models import CrmRecord
from crm.sessions import hash_session
from provisioning.models import LegalHold
from provisioning.subjects import holds
from tests.provisioning.admin.test_person import erase
from tests.support.confirming import confirm
from tests.support.visitor import SESSION, events

HOLDS = "/admin/provisioning/legalhold/"
KEY = hash_session(session_id=SESSION)


def test_says_that_a_hold_forbids_the_erasure(reviewer, jane):
    form = {"session_hash": KEY, "reference": "case-9"}
    reviewer.post("/admin/provisioning/legalhold/add/", form)

    page = erase(reviewer).content.decode()

    assert "legal hold case-9" in page
    assert CrmRecord.objects.exists()


def test_lifts_a_hold_by_deleting_it(reviewer, jane):
    form = {"session_hash": KEY, "reference": "case-9"}
    reviewer.post("/admin/provisioning/legalhold/add/", form)

    number = LegalHold.objects.get().pk
    page = f"/admin/provisioning/legalhold/{number}/delete/"
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


def test_places_no_hold_on_nobody(reviewer):
    form = {"session_hash": "0" * 64, "reference": "case-9"}

    page = reviewer.post("/admin/provisioning/legalhold/add/", form).content.decode()

    assert "Nothing is stored" in page
