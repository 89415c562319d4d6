"""What the fleet's broker is told; what it makes of it is tests/integration/brokers."""

from pathlib import Path

from roost_central.brokers.fleet_files import BrokerFiles, configuration, rules

FILES = BrokerFiles(*(Path(f"/f/{name}") for name in ("root", "cert", "key", "crl", "acl")))


def config(**said):
    return configuration(
        FILES, **{"host": "192.0.2.1", "port": 8883, "connections_max": 9, "user": "", **said}
    )


def test_there_is_one_listener_and_it_asks_for_a_certificate():
    lines = config().splitlines()
    assert [line for line in lines if line.startswith("listener")] == ["listener 8883 192.0.2.1"]
    for line in ("require_certificate true", "use_identity_as_username true", "crlfile /f/crl"):
        assert line in lines
    assert "allow_anonymous true" not in lines


def test_a_line_for_root_is_the_last():
    assert config(user="user root\n").endswith("log_type warning\nuser root\n")


def test_no_rule_lets_a_node_write_or_read_below_another_name_than_its_own():
    patterns = [line for line in rules(()).splitlines() if line.startswith("pattern")]
    assert all(line.split("/")[3] == "%u" for line in patterns)
    leaves = sorted(tuple(line.partition(" ")[2].replace("/%u/", " ").split()) for line in patterns)
    up = [("write", "roost/v1/+", f"up/{leaf}") for leaf in ("beat", "gone", "ha", "report")]
    down = [("read", "roost/v1/+", f"down/{leaf}") for leaf in ("ha", "order", "receipt")]
    assert leaves == down + up


def test_the_denied_stand_before_the_patterns_each_by_its_name():
    text = rules(["lab.n2", "lab.n1"])
    assert text.index("user lab.n1\ntopic deny #") < text.index("user lab.n2\ntopic deny #")
    assert text.index("topic deny #") < text.index("pattern")
