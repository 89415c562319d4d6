"""``roost-central check-config``: all that a configuration does is told, and what it lacks."""

from roost_central.config import check
from roost_central.config_summary import summary

FLEET = {"domain": "edge.example"}
ENROL = {
    "public_url": "https://c.example:8471",
    "broker": [{"name": "b1", "url": "mqtts://c.example:8883"}],
}


def lines(table, tmp_path):
    socket = {"socket": str(tmp_path / "signer.sock")}
    return summary(check({"data_dir": str(tmp_path), "signer": socket, **table})).splitlines()


def test_a_centre_without_a_fleet_says_that_nobody_can_join(tmp_path):
    told = lines({}, tmp_path)
    assert "fleet     none: no box can be enrolled; [fleet] domain names one" in told
    assert "enrol     none: no box is let in; add [enrol]" in told
    assert told[-1] == "ok"


def test_what_lets_boxes_in_is_told(tmp_path):
    (tmp_path / "signer.sock").touch()
    (tmp_path / "serials").write_text("AC-1\n")
    rule = {"name": "shops", "serials_file": str(tmp_path / "serials"), "site": "shop-7"}
    table = {"fleet": FLEET, "fleet_broker": {}, "enrol": {**ENROL, "rule": [rule]}}
    told = "\n".join(lines(table, tmp_path))
    assert f"fleet     edge.example, signed for at {tmp_path / 'signer.sock'}" in told
    assert "b1 is ours: `roost-central broker` runs it on 0.0.0.0:8883" in told
    assert "enrol     127.0.0.1:8471, boxes join https://c.example:8471" in told
    assert "nodes are sent to b1 mqtts://c.example:8883" in told
    assert "rule shops: boxes go to shop-7 with nobody asked" in told
    assert "WARNING" not in told


def test_what_would_leave_nodes_alone_is_warned_of(tmp_path):
    warnings = [
        line for line in lines({"fleet": FLEET, "enrol": ENROL}, tmp_path) if "WARNING" in line
    ]
    assert "start roost-signer" in warnings[0]
    assert "this centre hears no broker b1" in warnings[1]


def test_who_logs_operators_in_is_told(tmp_path):
    table = {
        "http": {"public_url": "https://roost.example"},
        "oidc": {"issuer": "https://idp.example", "client_id": "roost"},
    }
    assert "oidc      https://idp.example logs operators in" in lines(table, tmp_path)
