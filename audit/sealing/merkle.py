"""Merkle trees of RFC 9162, section 2.1: roots, and the paths that prove a leaf is under one."""

from collections.abc import Sequence
from hashlib import sha256


def leaf_hash(*, body: str) -> bytes:
    """Return SHA-256(0x00 ‖ body): the prefix keeps a leaf from posing as a node."""
    return sha256(b"\x00" + body.encode()).digest()


def levels(*, leaves: Sequence[bytes]) -> list[list[bytes]]:
    """Return the tree from its leaf hashes up to its root.

    Pairing neighbours and carrying an odd last one up unchanged gives the same tree as the RFC's
    split at the largest power of two, without recursion.
    """
    tree = [list(leaves) or [sha256().digest()]]
    while len(tree[-1]) > 1:
        below = tree[-1]
        above = [
            sha256(b"\x01" + left + right).digest()
            for left, right in zip(below[::2], below[1::2], strict=False)
        ]
        if len(below) % 2:
            above.append(below[-1])
        tree.append(above)
    return tree


def root(*, leaves: Sequence[bytes]) -> bytes:
    """Return the tree's root; of no leaves, SHA-256 of nothing."""
    return levels(leaves=leaves)[-1][0]


def audit_path(*, tree: Sequence[Sequence[bytes]], index: int) -> list[bytes]:
    """Return the hashes that lead from leaf `index` to the root of a tree from `levels`."""
    path = []
    for level in tree[:-1]:
        sibling = index ^ 1
        if sibling < len(level):
            path.append(level[sibling])
        index //= 2
    return path
