"""Measurements: figures and ratios, never a pass or a fail.

candidates.py  what is measured: our service and, given its path, the seed's program
rounds.py      one candidate under one load: times, CPU, memory
growth.py      a table of a million creations: the same plans, the same speed?
limits.py      cold starts and rate limits: what the platform has to bear
soak.py        half an hour at 10 % faults

`python -m bench` runs all but the soak. Everything stays on loopback and is bounded in
count and time. Load generator, platform and service share the machine: compare, do not quote.
"""
