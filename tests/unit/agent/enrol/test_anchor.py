"""The roots of trust of a box that has just become a node: put there once, or told why not."""

import os

import pytest

from roost_agent.enrol.anchor import anchor


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A root of trust that is none, for a process that may write it."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    made = tmp_path / "image-root.json"
    made.write_bytes(b"{}")
    return made


def test_a_box_without_a_root_of_images_is_a_node_all_the_same(tmp_path, root):
    assert anchor(tmp_path, tmp_path / "none.json", tmp_path / "trust") == ""


def test_what_is_there_is_left_alone(tmp_path, root):
    (tmp_path / "trust").mkdir()
    (tmp_path / "trust/state.json").write_bytes(b"{}")
    assert anchor(tmp_path, root, tmp_path / "trust") == ""


def test_who_may_not_write_it_leaves_it_to_root(tmp_path, root, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1_000)
    assert anchor(tmp_path, root, tmp_path / "trust") == ""


def test_why_there_are_none_is_told_with_what_to_do(tmp_path, root):
    said = anchor(tmp_path, root, tmp_path / "trust")
    assert "this box is no node yet" in said
    assert said.endswith("as root, roost-agent verify anchor")
