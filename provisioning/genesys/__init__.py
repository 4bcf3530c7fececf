"""The platform's client: a narrow door (`create_guest`, `issue_token`) to Genesys Cloud.

    client.py     the two calls, retry, what an answer must hold
    oauth.py      our own access token: cached, refreshed once for all
    gate.py       whether the platform may be called now
    transport.py  one POST over requests: bounded in time and in bytes
    deadline.py   the one budget of time that all of them spend
    errors.py     what can go wrong

It knows no model, no DRF, no crm; it alone imports requests.
"""
