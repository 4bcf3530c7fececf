import time, pytest
from django.utils import timezone
from provisioning.models import GuestCreation
from crm.sessions import hash_session
from uuid_utils.compat import uuid7
from audit import log
from audit.models import AuditEvent
from django.db import transaction
from tests.support.factories import signed_in, crm_record
pytestmark = pytest.mark.django_db
def test_perf():
    key = hash_session(session_id="jane"); crm_record("jane")
    def rows(n, keyf):
        return [GuestCreation(id=uuid7(), created_at=timezone.now(), session_hash=keyf(i), status="ready", guest_id=f"g{keyf(i)[:4]}{i}", consent_given=True, consent_type="explicit", consent_basis="stated", salt="00"*16, event_request_id=uuid7(), request_id=f"r{i}") for i in range(n)]
    GuestCreation.objects.bulk_create(rows(1000, lambda i: key), batch_size=500)
    GuestCreation.objects.bulk_create(rows(60000, lambda i: hash_session(session_id=str(i))), batch_size=2000)
    with transaction.atomic():
        s = log.pseudonym(session_hash=key)
        for _ in range(1000): log.record(kind="init.attempted", subject=s, actor="visitor", data={"creation": "x"})
    from django.db import connection
    with connection.cursor() as c: c.execute("ANALYZE")
    b = signed_in("Compliance reviewer")
    for term in ("jane", "g" + key[:4] + "5", "jane.doe@example.com", "r7"):
        t = time.perf_counter(); a = b.post("/admin/provisioning/guestcreation/person/", {"term": term}); print(term, a.status_code, round((time.perf_counter()-t)*1000))
    times = []
    for _ in range(20):
        t = time.perf_counter(); p = b.get(a.headers["Location"]); times.append((time.perf_counter()-t)*1000)
    print("page", sorted(round(x) for x in times)); 
