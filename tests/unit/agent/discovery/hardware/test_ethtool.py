from roost_agent.discovery.ethtool import FIELDS, Ethtool
from roost_agent.discovery.section import Missing


def test_every_field_is_a_value_or_a_reason_on_the_loopback_which_refuses_most():
    with Ethtool() as ethtool:
        fields = ethtool.fields("lo")
    assert tuple(sorted(fields)) == tuple(sorted(FIELDS))
    assert fields["port"] == Missing("unsupported")
    assert "tx-scatter-gather" in fields["offloads"]


def test_an_interface_that_is_gone_fails_field_by_field():
    with Ethtool() as ethtool:
        assert set(ethtool.fields("roost-gone").values()) == {Missing("absent")}
        assert ethtool.mac("roost-gone") == Missing("absent")


def test_a_name_too_long_is_not_cut_to_the_name_of_another_interface():
    with Ethtool() as ethtool:
        assert ethtool.mac("lo".ljust(16, "x")) == Missing("unsupported")
