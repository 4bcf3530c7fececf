"""Measurements: figures and ratios, never a pass or a fail.

candidates.py  what is measured: our service and, given its path, the seed's program
rounds.py      one candidate under one load: times, CPU, memory
growth.py      a table of a million creations: the same plans, the same speed?
limits.py      cold starts and rate limits: what the platform has to bear
strangers.py   loops of wrong sign-ins beside visitors
soak.py        half an hour at 10 % faults
trace.py       through how many of our files an init and a CSV row lead

`python -m bench` runs all but the soak, the strangers and the trace; `tests/support/load.py` sends
the inits.
Everything stays on loopback and is bounded in count and time. Load generator, platform and service
share the machine: compare, do not quote.
"""
