"""Legal holds in the admin: placed by adding one, lifted by deleting it."""

from crm.models import CrmRecord
from crm.sessions import hash_session
from provisioning.models import LegalHold
from tests.provisioning.admin.test_person import ask
from tests.support.visitor import SESSION, events

KEY = hash_session(session_id=SESSION)


def test_says_that_a_hold_forbids_the_erasure(reviewer, jane):
    form = {"session_hash": KEY, "reference": "case-9"}
    reviewer.post("/admin/provisioning/legalhold/add/", form)

    page = ask(reviewer, "erase", confirmed="on").content.decode()

    assert "legal hold case-9" in page
    assert CrmRecord.objects.exists()


def test_lifts_a_hold_by_deleting_it(reviewer, jane):
    form = {"session_hash": KEY, "reference": "case-9"}
    reviewer.post("/admin/provisioning/legalhold/add/", form)

    number = LegalHold.objects.get().pk
    reviewer.post(f"/admin/provisioning/legalhold/{number}/delete/", {"post": "yes"})

    assert not LegalHold.objects.exists()
    assert [len(events(kind)) for kind in ("hold.placed", "hold.lifted")] == [1, 1]


def test_places_no_hold_on_nobody(reviewer):
    form = {"session_hash": "0" * 64, "reference": "case-9"}

    page = reviewer.post("/admin/provisioning/legalhold/add/", form).content.decode()

    assert "Nothing is stored" in page
