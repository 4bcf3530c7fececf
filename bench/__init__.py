"""Measurements: figures and ratios, never a pass or a fail.

candidates.py  what is measured: our service, its floor (floor.py), its equal-work peer (peer/)
rounds.py      candidates under one load, in turn: times, CPU, memory
speed.py       an init beside floor and peer, under six loads
wire.py        what an init says to its stores (traced.py: to SQLite)
growth.py      a table of a million creations: the same plans, the same speed?
limits.py      cold starts and rate limits: what the platform has to bear
verifying.py   how fast the audit log verifies
strangers.py   loops of wrong sign-ins beside visitors
admin.py       the admin's pages at a million creations
soak.py        half an hour at 10 % faults
trace.py       through how many of our files an init and a CSV row lead

`python -m bench` runs all from speed to verifying; `tests/support/load.py` sends the inits.
Everything stays on loopback and is bounded in count and time. Load generator, platform and service
share the machine: compare, do not quote.
"""
