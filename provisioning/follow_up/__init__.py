"""What is done on the platform after the visitor was answered, by housekeeping.

lookups.py      a guest that may exist: looked for, and never made
withdrawals.py  consent taken back: the platform is told, and looked at again
deletions.py    guests of erased persons: deleted there too

The rows themselves say what is due, so whatever dies goes on where it was. A platform that cannot
be asked about a guest afterwards gets none of this: a person does there what is to be done.
"""
