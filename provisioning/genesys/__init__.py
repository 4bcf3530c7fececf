"""The platform's client: `create_guest` and `issue_token`, towards Genesys Cloud.

    guests.py      the tutorial's Guest API: the two calls, and what an answer must hold
    oauth.py       our own access token: cached, refreshed once for all
    gate.py        whether the platform may be called now; gate_steps.py: its shared fields
    retry.py       a call again, where that is safe and can end in time
    transport.py   one POST over requests, bounded in time and in bytes
    adapter.py     its connections, which know how far a request got (`Phase`)
    deadline.py    the one budget of time that all of them spend
    errors.py      what can go wrong; `arrived` says whether a guest may exist

It knows no model, no DRF, no crm; it alone imports requests.
"""
