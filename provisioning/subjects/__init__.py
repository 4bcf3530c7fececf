"""The rights of a person: to be told what is stored (GDPR art. 15), to be erased (art. 17).

inventory.py   every table and column, and what becomes of it
identify.py    which stored sessions are this person's
export.py      all that is stored of them
erasure.py     erase a person; erase by age
holds.py       legal holds, which keep a person from being erased
replaying.py   do again, after a restore from a backup, what was done since
rekeying.py    every key anew, under SESSION_HASH_PEPPER
commandline.py the arguments by which commands name a person
"""
