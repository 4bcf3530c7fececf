"""Find a person, and show their page; what is done there is in `acting` and `exporting`."""

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from provisioning.admin import search
from provisioning.admin.people import acting, exporting, summary
from provisioning.admin.people.access import FIND, allowed, keep, kept, require_any

HELP = "Session id, session hash, guest id, request id or e-mail address"
_NOT_STORED = {"Cache-Control": "no-store"}
_ACTS = {
    "withdraw": acting.withdraw,
    "hold": acting.hold,
    "erase": acting.erase,
    "export": exporting.as_file,
    "print": exporting.to_print,
}


def urls() -> list[URLPattern]:
    """Return the addresses, for `GuestCreationAdmin.get_urls`."""
    site = admin.site.admin_view
    receipt = site(exporting.download_receipt)
    return [
        path("person/", site(find), name="provisioning_person"),
        path("person/<slug:name>/", site(show), name="provisioning_person_page"),
        path("<uuid:pk>/receipt/", receipt, name="provisioning_receipt"),
    ]


def find(request: HttpRequest) -> HttpResponse:
    """Ask who it is; what is typed is posted, so that no address and no log line holds it."""
    require_any(request)
    term = request.POST.get("term", "")
    sessions = search.sessions(term=term) if term.strip() else []
    if sessions:
        return redirect(keep(request, sessions=sessions).address)
    context = {
        **admin.site.each_context(request),
        "title": "People",
        "term": term.strip(),
        "find_help": HELP,
    }
    template = "admin/provisioning/people/find.html"
    return TemplateResponse(request, template, context, headers=_NOT_STORED)


def show(request: HttpRequest, name: str) -> HttpResponse:
    """Show all that is known of a person, and do what is posted."""
    require_any(request)
    person = kept(request, name=name)
    if not person.sessions:
        messages.warning(request, "Find the person again: what was found is kept for one sitting.")
        return redirect(FIND)
    act = _ACTS.get(request.POST.get("do", ""))
    answer = act(request, person) if act else {}
    if isinstance(answer, HttpResponse):
        return answer
    context = {
        **admin.site.each_context(request),
        "title": "A person",
        "find_help": HELP,
        "may": allowed(request),
        **acting.forms_for(person),
        **summary.of(request=request, sessions=person.sessions),
        **answer,
    }
    template = "admin/provisioning/people/person.html"
    return TemplateResponse(request, template, context, headers=_NOT_STORED)
