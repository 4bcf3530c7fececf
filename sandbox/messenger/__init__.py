"""What the vendor's SDK 269 documents of contacts, their erasure and a messenger's deployment.

Where the vendor is silent, each module says which rule is ours.
"""
