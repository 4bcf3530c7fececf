"""Does a client's request id hold the session id of its body? Then it is no id for logs and rows.

Looked for in the bytes: a body that will be refused (a repeated key, a wrong type, no JSON at all)
names its session too, and the refusal is logged under the request's id.
"""

import re

from provisioning.api.requests import folded

# A name and what stands for it, where that has only characters that a request id may have.
_PAIR = re.compile(rb'"([^"\\]*)"\s*:\s*"?([A-Za-z0-9._-]+)(?=["\s,}]|$)')
# The same characters, and those of the name, as JSON may escape them.
_ESCAPED = re.compile(rb"\\u00(2[0de]|3[0-9]|4[1-9a-f]|5[0-9af]|6[1-9a-f]|7[0-9a])", re.IGNORECASE)


def holds_session(request_id: str, *, body: bytes) -> bool:
    """Tell whether `request_id` is or holds a session id that the JSON in `body` names."""
    plain = _ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), body)
    lower = request_id.lower()
    return any(
        folded(name.decode(errors="replace")) == "sessionid" and value.decode().lower() in lower
        for name, value in _PAIR.findall(plain)
    )
