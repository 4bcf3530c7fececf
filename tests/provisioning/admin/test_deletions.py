"""Guests of erased persons: marked as deleted on the platform by somebody who says so."""

from provisioning.models import PlatformDeletion
from tests.provisioning.admin.test_person import ask


def test_marks_a_deletion_on_the_platform_done(reviewer, jane):
    ask(reviewer, "erase", confirmed="on")

    chosen = {"action": "mark_done", "_selected_action": [str(jane.pk)]}
    reviewer.post("/admin/provisioning/platformdeletion/", chosen)

    row = PlatformDeletion.objects.get()
    assert (row.state, row.guest_id) == ("done", "")
    assert row.done_by.startswith("staff:")
