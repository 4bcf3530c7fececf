"""Guests of erased persons: marked as deleted on the platform by somebody who says so."""

from provisioning.models import PlatformDeletion
from tests.provisioning.admin.test_person import erase
from tests.support.confirming import confirm


def test_marks_a_deletion_on_the_platform_done(reviewer, jane):
    erase(reviewer)

    chosen = {"action": "mark_done", "_selected_action": [str(jane.pk)]}
    shown = reviewer.post("/admin/provisioning/platformdeletion/", chosen).content.decode()
    assert jane.guest_id in shown
    assert PlatformDeletion.objects.get().state == "waiting"
    confirm(reviewer, "/admin/provisioning/platformdeletion/", chosen)

    row = PlatformDeletion.objects.get()
    assert (row.state, row.guest_id) == ("done", "")
    assert row.done_by.startswith("staff:")
