"""A stand-in for the platform, in a process of its own, for tests, demo and measurement.

    manage.py genesys_sandbox --port 9000          or, quicker to start,
    python -m sandbox --port 9000

On loopback it answers as two platforms are described, both at once: the tutorial's Guest API, and
what the vendor documents of contacts, their erasure and messenger deployments. The names are those
of fault scripts and counts:

    oauth                     POST /oauth/token, /login/oauth/token
    guests, tokens            POST {guests path}, {guests path}/{id}/tokens
    enrich, lookup, merge     POST contacts/enrich, identifierlookup/contacts, contacts/merge
    contact, delete_contact   GET, DELETE contacts/{id}
    sources, add_source       GET, POST externalsources
    source                    GET externalsources/{id}
    schemas, add_schema       GET, POST contacts/schemas
    schema, edit_schema       GET, PUT contacts/schemas/{id}; GET …/{id}/versions/{number}
    gdpr, gdpr_status         POST gdpr/requests; GET gdpr/requests/{id}, which moves it a state on
    deployment                GET webdeployments/deployments/{id}

At run time, for tests and the demo page:

    GET  /_sandbox/calls[?since=N]  what it saw, oldest first; secrets are masked
    GET  /_sandbox/stats            counts by endpoint and status
    POST /_sandbox/faults           replaces the fault script; [] clears it
    POST /_sandbox/revoke           revokes every access token
    POST /_sandbox/reset            forgets calls, guests, contacts and used-up rate; faults,
                                    sources and schemas are those of the start again

A fault script is a JSON array of rules; the first that matches a call is applied:

    [{"endpoint": "guests", "call": 1, "kind": "status", "status": 429,
      "headers": {"Retry-After": "2"}},
     {"endpoint": "tokens", "calls": [2, 4], "kind": "delay", "seconds": 3},
     {"endpoint": "oauth", "every": 3, "kind": "reset", "process": true},
     {"endpoint": "gdpr_status", "kind": "alter", "set": {"status": "ERROR"}}]

  endpoint  one of the names above, or any (default)
  call      n: the nth call to that endpoint, counted from 1 since the script was put in place
  calls     [first, last]; last may be null, which means for ever
  every     n: each nth call. With none of the three: always
  seconds   wait this long before answering, with any kind (default 0)
  kind      one of these, each with its own further fields:

  delay        only the wait
  status       status, headers {}, body (text or JSON; default the platform's error body)
  garbage      shape: html, text, binary, empty, truncated or array, with the true status
  alter        set {} and drop []: top-level fields of the true answer changed or left out, such as
               {"set": {"id": "../x"}}, {"drop": ["id"]}, {"set": {"consentGiven": false}}
  bomb         the answer padded to megabytes (80) of JSON, as a small gzip body (gzip: true)
  drip         the true answer, bytes (1) at a time each interval (1) seconds, of part: head or body
  cut          half of the announced body, then the connection closes
  http_version the true answer under another version: "HTTP/7.9", or any text
  hang         never answers
  close        closes the connection without an answer
  reset        resets the connection (RST) without an answer

status, hang, close and reset leave the call undone; with "process": true it is done first, so that
a guest or contact exists of which the client never hears. The other kinds always do it.
"""
