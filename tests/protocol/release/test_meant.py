"""A tree of sites: one root, and for each site hashes that show it, and nothing else."""

import pytest

from roost_protocol.errors import ProtocolError
from roost_protocol.release.meant import (
    MEANT_MAX,
    PROOF_MAX,
    Tree,
    former_leaf,
    holds,
    site_leaf,
)

OLD, OLDER = "1" * 64, "2" * 64


def sites(count):
    return {f"s{number}": (OLD, OLDER, "")[number % 3] for number in range(count)}


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 8, 33])
def test_each_site_of_a_list_is_shown_and_no_other(count):
    tree = Tree(sites(count))
    for site, former in sites(count).items():
        leaf = site_leaf(site, former)
        proof = tree.proof(leaf)
        assert holds(tree.root, leaf, proof)
        assert not holds(tree.root, site_leaf(site + "x", former), proof)
        assert not holds(tree.root, site_leaf(site, "3" * 64), proof)
        assert not holds(Tree({**sites(count), "more": ""}).root, leaf, proof)
    assert tree.proof(site_leaf("x", "")) == []


def test_releases_to_go_back_to_are_shown_apart_from_sites():
    tree = Tree(sites(9))
    for former in (OLD, OLDER):
        assert holds(tree.root, former_leaf(former), tree.proof(former_leaf(former)))
    assert not holds(tree.root, former_leaf("3" * 64), tree.proof(former_leaf(OLD)))


def test_a_branch_is_no_leaf_and_a_list_is_the_same_in_any_order():
    tree = Tree({"a": "", "b": ""})
    assert not holds(tree.root, bytes.fromhex(tree.root), [tree.root])
    assert Tree({"b": "", "a": ""}).root == tree.root != Tree({"a": "", "b": OLD}).root


def test_a_list_is_bounded_and_a_proof_with_it():
    with pytest.raises(ProtocolError, match="sites"):
        Tree({})
    assert (MEANT_MAX * 2).bit_length() <= PROOF_MAX
