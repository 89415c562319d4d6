"""Which paths to site brokers are readable on their network."""

import site_file

from roost_agent.ha.clear_text import clear_text
from roost_agent.ha.config_file import check


def test_it_is_told_with_its_paths_and_only_off_loopback():
    table = site_file.table()
    config, _ = check(table)
    assert clear_text(config, has_identity=True) == ""
    assert clear_text(config, has_identity=False).endswith("; paths mgmt/c0, cluster/c1")
    for index, node in enumerate(table["node"]):
        node["address"] |= {"mgmt": f"127.0.1.{index + 1}", "cluster": f"127.0.2.{index + 1}"}
    assert clear_text(check(table)[0], has_identity=False) == ""
