"""A whole HA configuration that holds, for tests to break."""

import tomllib

TEXT = """
voters = ["c0", "c1", "w1"]
witness = "node"
networks = [
  {name="mgmt", interface="eth0", weight=4},
  {name="cluster", interface="eth1", weight=2},
  {name="oam", interface="eth2"},
]
paths = [
  {driver="mqtt", broker="c0", network="mgmt"},
  {driver="mqtt", broker="c1", network="cluster"},
  {driver="udp", network="cluster"},
  {driver="udp", network="oam"},
]
[[node]]
name = "c0"
index = 0
address = {mgmt="10.0.0.1", cluster="10.0.1.1", oam="10.0.2.1"}
[[node]]
name = "c1"
index = 1
address = {mgmt="10.0.0.2", cluster="10.0.1.2", oam="10.0.2.2"}
[[node]]
name = "w1"
index = 2
address = {mgmt="10.0.0.3", cluster="10.0.1.3", oam="10.0.2.3"}
[[group]]
name = "main"
model = "2N"
hosts = ["c0", "c1"]
vip = [{address="10.0.2.10/24", network="oam"}]
[[group]]
name = "agents"
model = "N"
hosts = ["c0", "c1"]
[[service]]
name = "db"
group = "main"
exclusive = "hard"
run = {start=["/usr/bin/db"], stop=["/usr/bin/db-stop"]}
eligible = ["/usr/lib/app/lag-ok"]
budget = {start_s=20, stop_s=1.5}
ladder = ["restart:3/600", "failover", "node-fail"]
active = {probe=["/usr/bin/db-ping"], interval_s=5, timeout_s=2, fail=3, pass=2}
[[service]]
name = "web"
group = "main"
run = {start=["/usr/bin/web", "--front"]}
budget = {stop_s=0.3}
depends = ["db"]
[[service]]
name = "log"
group = "agents"
run = {start=["/usr/bin/logger"]}
[[service]]
name = "cron"
group = "agents"
run = {systemd="cron.service"}
"""


def table():
    """The file as a table, to be changed before it is checked."""
    return tomllib.loads(TEXT)
