"""The policy's file: what it says is read back, what it does not know is refused."""

import pytest

from roost_central.errors import ConfigError
from roost_central.signer.bucket import Rate
from roost_central.signer.core import Policy
from roost_central.signer.policy import load, text

POLICY = Policy(
    "edge.example", ("a", "b"), 30, 60, 7, Rate(1, 2), Rate(3, 4), Rate(5, 6), Rate(7, 100_000)
)


def written(tmp_path, content):
    path = tmp_path / "policy.toml"
    path.write_text(content)
    return path


def test_what_is_written_reads_back(tmp_path):
    for policy in (POLICY, Policy("edge.example")):
        assert load(written(tmp_path, text(policy))) == policy


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "domain"),
        ('domain = "edge"', "two or more labels"),
        ('domain = "edge.example"\nnode_day = 3', "node_day"),
        ('domain = "edge.example"\nnode_days = 0', "node_days"),
        ('domain = "edge.example"\nnode_days_max = 401', "400"),
        ('domain = "edge.example"\nusers = "root"', "users"),
        ('domain = "edge.example"\nnodes = { per_minute = 1 }', "burst"),
        ('domain = "edge.example"\nnodes = { per_minute = 1, burst = 0 }', "burst"),
        ('domain = "edge.example"\norders_by_two = ["rebot"]', "rebot.*one of.*reboot"),
        ('domain = "edge.example"\norders_never = ["x"]', "one of"),
        ('domain = "edge.example"\norder_hours_max = 25', "order_hours_max"),
        ("domain = ", "domain|Invalid"),
        ("x" * 70_000, "65536 bytes"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, content, told):
    with pytest.raises(ConfigError, match=told):
        load(written(tmp_path, content))
