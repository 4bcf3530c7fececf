"""The API's own description: ``/api/schema`` (OpenAPI 3.1) and ``/api/docs``.

Each app describes its operations and lists what may be refused as rows of (status, code, sentence)
under ``x-refusals``, and what may follow under ``x-links``; here they become responses, beside
those that every answer under /api/ shares.
"""

from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator

from guestportal.api.errors import GENERIC
from guestportal.api.middleware import NOTICE_PATH, ORIGIN_NOT_ALLOWED

Row = tuple[int, str, str]  # status, code, sentence

EXAMPLE_REQUEST_ID = "0b0e7c4b5f4d4d0f8e0f0a2f7f7d3c11"
SENTENCE_OF_A_FIELD = "sessionId is required in request body"
ERROR = {
    "type": "object",
    "description": "What every refusal looks like. `code` is stable, `error` is for people.",
    "properties": {
        "error": {"type": "string"},
        "code": {"type": "string"},
        "requestId": {"type": "string", "description": "Also in X-Request-ID and in our log."},
        "fields": {
            "type": "object",
            "description": "What is wrong, by field, where the body is not valid.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
    },
    "required": ["error", "code", "requestId"],
}
HEADERS = {
    "X-Request-ID": {
        "description": "Names this request in our log and records; yours where it was well formed "
        "and does not hold the session id.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
    },
    "Retry-After": {
        "description": "Seconds after which another try makes sense.",
        "schema": {"type": "string", "pattern": "^[1-9][0-9]*$"},
    },
    "Location": {
        "description": "Where to ask what became of it.",
        "schema": {"type": "string"},
    },
}


@csrf_exempt  # a form is refused unread
@require_safe
def document(request: HttpRequest) -> HttpResponse:
    """Answer with the OpenAPI document."""
    return JsonResponse(_document(), json_dumps_params={"ensure_ascii": False})


@csrf_exempt  # a form is refused unread
@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """Show the document in Swagger UI, served from here."""
    return render(request, "guestportal/api_docs.html")


@cache
def _document() -> Any:
    """Describe the API once per process; it does not change while the process runs."""
    return SchemaGenerator().get_schema(request=None, public=True)


def describe_refusals(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Turn x-refusals, x-links and what is shared into responses (drf-spectacular's hook)."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Error"] = ERROR
    components["headers"] = HEADERS
    for path, methods in result["paths"].items():
        for method, operation in methods.items():
            _complete(operation, [*operation.pop("x-refusals", ()), *_shared(path, method)])
    return result


def _shared(path: str, method: str) -> list[Row]:
    """Return the refusals that settings, not views, decide on."""
    statuses = [406, 503]
    rows: list[Row] = []
    if method in ("post", "put", "patch"):
        rows.append((400, "invalid_request", SENTENCE_OF_A_FIELD))
        statuses += [413, 415]
    if path.startswith("/api/crm/"):
        statuses += [401, 403]
    elif method == "post" or path == NOTICE_PATH:
        rows.append(ORIGIN_NOT_ALLOWED)
        statuses.append(429)
    return rows + [(status, *GENERIC[status]) for status in statuses]


def _complete(operation: dict[str, Any], rows: Iterable[Row]) -> None:
    responses = operation["responses"]
    for status, response in responses.items():
        response["headers"] = _headers(int(status))
        response["description"] = response.get("description") or "Done."
    if links := operation.pop("x-links", {}):
        responses["200"]["links"] = links
    by_status: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        by_status[row[0]].append(row)
    for status in sorted(by_status):
        responses[str(status)] = _refusal(status, by_status[status])


def _refusal(status: int, rows: list[Row]) -> dict[str, Any]:
    codes = list(dict.fromkeys(code for _, code, _ in rows))
    schema = {
        "allOf": [
            {"$ref": "#/components/schemas/Error"},
            {"properties": {"code": {"enum": codes}}},
        ]
    }
    content = {"application/json": {"schema": schema, "examples": _examples(rows)}}
    description = " · ".join(f"`{code}`" for code in codes)
    return {"description": description, "headers": _headers(status), "content": content}


def _examples(rows: list[Row]) -> dict[str, Any]:
    """Return one example for each sentence, under its code."""
    examples: dict[str, Any] = {}
    for _, code, sentence in rows:
        name = code if code not in examples else f"{code}_{len(examples)}"
        value: dict[str, Any] = {"error": sentence, "code": code, "requestId": EXAMPLE_REQUEST_ID}
        if sentence == SENTENCE_OF_A_FIELD:
            value["fields"] = {"sessionId": [sentence]}
        examples[name] = {"value": value}
    return examples


def _headers(status: int) -> dict[str, Any]:
    names = ["X-Request-ID"]
    if status in (202, 429, 503):
        names.append("Retry-After")
    if status == 202:
        names.append("Location")
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
