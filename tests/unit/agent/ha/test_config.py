import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import site_file

from roost_agent.ha.config_file import check
from roost_agent.ha.rung import ladder


def test_a_whole_file_is_taken():
    config, _ = check(site_file.table())
    assert config.voter_indices() == (0, 1, 2)
    assert config.lease_names() == ("site", "main")
    assert config.brokers() == ("c0", "c1")
    assert not config.is_sticky
    assert [each.name for each in config.services_of("main")] == ["db", "web"]
    assert config.node("w1").address["oam"] == "10.0.2.3"
    assert config.network("oam").interface == "eth2"
    assert config.group("main").without_quorum == "stop"
    assert config.group("agents").without_quorum == "continue"
    assert config.services[0].watches == ("pidfd",)
    assert config.services[3].watches == ("systemd",)
    db, web, log, _cron = config.services
    assert db.rungs(config.group("main")).steps == ("failover", "node-fail")
    assert web.rungs(config.group("main")) == ladder(("restart:3/600", "failover"))
    assert log.rungs(config.group("agents")) == ladder(("restart:3/600",))
    assert config.warnings == ()


def test_definitions_of_services_change_their_digest_alone():
    table = site_file.table()
    table["service"][2]["run"]["start"] = ["/usr/bin/other"]
    before, after = check(site_file.table())[0], check(table)[0]
    assert before.cfgver == after.cfgver
    assert before.defs != after.defs
    assert len(after.defs) == 8
