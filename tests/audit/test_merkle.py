"""The tree is RFC 9162's, checked against the RFC's own recursion."""

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from audit.offline.verify_bundle import root_from_path
from audit.sealing import merkle

LEAVES = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=200)


def _root(leaves: list[bytes]) -> bytes:
    """RFC 9162, section 2.1.1, word for word; the leaves are hashed already."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + _root(leaves[:split]) + _root(leaves[split:])).digest()


def _path(index: int, leaves: list[bytes]) -> list[bytes]:
    """RFC 9162, section 2.1.3.1, word for word."""
    if len(leaves) == 1:
        return []
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if index < split:
        return [*_path(index, leaves[:split]), _root(leaves[split:])]
    return [*_path(index - split, leaves[split:]), _root(leaves[:split])]


@given(leaves=LEAVES)
def test_roots_are_those_of_the_rfc(leaves):
    assert merkle.root(leaves=leaves) == _root(leaves)


@given(leaves=LEAVES, data=st.data())
def test_paths_are_those_of_the_rfc(leaves, data):
    index = data.draw(st.integers(0, len(leaves) - 1))

    tree = merkle.levels(leaves=leaves)

    assert merkle.audit_path(tree=tree, index=index) == _path(index, leaves)


@given(leaves=LEAVES, data=st.data())
def test_the_stand_alone_verifier_reaches_the_root_by_the_path(leaves, data):
    index = data.draw(st.integers(0, len(leaves) - 1))
    path = _path(index, leaves)

    found = root_from_path(leaf=leaves[index], index=index, size=len(leaves), path=path)

    assert found == _root(leaves).hex()


@given(leaves=LEAVES, data=st.data())
def test_the_stand_alone_verifier_refuses_another_leaf_place_or_path(leaves, data):
    index = data.draw(st.integers(0, len(leaves) - 1))
    path = _path(index, leaves)
    size, root = len(leaves), _root(leaves).hex()

    assert root_from_path(leaf=b"\x00" * 32, index=index, size=size, path=path) != root or (
        leaves[index] == b"\x00" * 32
    )
    assert root_from_path(leaf=leaves[index], index=size, size=size, path=path) is None
    assert (
        root_from_path(leaf=leaves[index], index=index, size=size, path=[*path, root[:32].encode()])
        != root
    )


def test_a_leaf_is_prefixed_as_the_rfc_says():
    assert merkle.leaf_hash(body="é") == sha256(b"\x00\xc3\xa9").digest()
