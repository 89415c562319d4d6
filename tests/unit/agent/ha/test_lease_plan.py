"""What the file says of each lease."""

import pytest
from ha_cores import site_file

from roost_agent.ha.config import SITE_LEASE
from roost_agent.ha.config_file import load
from roost_agent.ha.lease_plan import lease_hosts, lease_stop_ms, lease_watchdog_ms


@pytest.fixture
def config(tmp_path):
    file = tmp_path / "ha.toml"
    file.write_text(site_file().replace('name = "db"\n', 'name = "db"\nexclusive = "hard"\n'))
    return load(file)


def test_hosts_are_in_the_order_of_the_file_and_those_of_the_built_in_lease_vote(config):
    assert lease_hosts(config) == {SITE_LEASE: (0, 1, 2), "main": (0, 1), "web": (1, 0)}


def test_what_runs_nothing_stops_at_once_and_needs_no_watchdog(config):
    assert lease_stop_ms(config, SITE_LEASE) == 0
    assert lease_stop_ms(config, "main") == 200
    assert lease_watchdog_ms(config, SITE_LEASE) == lease_watchdog_ms(config, "web") == 0
    assert lease_watchdog_ms(config, "main") == config.timing.watchdog_ms > 0
