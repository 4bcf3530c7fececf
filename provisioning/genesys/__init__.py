"""The client of Genesys Cloud, whichever of its APIs is in use.

    platform.py    what a platform is to the pipeline: the protocol, and the one in use
    guest_api.py   the tutorial's Guest API; messenger/: what the vendor documents
    calls.py       a call with our access token, for all of them
    checking.py    what `check_genesys` asks of a platform
    oauth.py       our own access token: cached, refreshed once for all
    gate.py        whether the platform may be called now; gate_steps.py: its shared fields
    retry.py       a call again, where that is safe and can end in time
    transport.py   one request over requests, bounded in time and in bytes
    adapter.py     its connections, which know how far a request got (`Phase`)
    deadline.py    the one budget of time that all of them spend
    errors.py      what can go wrong; `arrived` says whether a guest may exist

It knows no model, no DRF, no crm; it alone imports requests.
"""
