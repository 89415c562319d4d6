"""The last word of each node, of each kind."""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, LargeBinary, String

from roost_central.storage.tables.column import PlainText, node_key, table

ha_report = table(
    "ha_report",
    node_key(),
    Column("at_ms", BigInteger, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),  # a MessagePack HaReport
)

host_report = table(
    "host_report",
    node_key(),
    Column("at_ms", BigInteger, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),  # a MessagePack HostReport
)

hosts_report = table(
    "hosts_report",
    Column("site", String, ForeignKey("site.site", ondelete="CASCADE"), primary_key=True),
    Column("speaker", String, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),  # a MessagePack HostsReport
)

bmc_report = table(
    "bmc_report",
    node_key(),  # whose machine it controls
    Column("speaker", String, nullable=False),  # the node that reads it
    Column("at_ms", BigInteger, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),  # a MessagePack BmcReport
)

bmc_setting = table(
    "bmc_setting",
    node_key(),  # whose machine it controls
    Column("access", LargeBinary, nullable=False),  # a MessagePack BoardAccess without its password
    Column("secret", LargeBinary, nullable=False),  # the password, closed (boards/vault.py)
    Column("sensors", LargeBinary, nullable=False),  # a MessagePack SensorSettings
    Column("changed_ms", BigInteger, nullable=False),
    Column("by", PlainText, nullable=False),
    Column("reached_by", String, nullable=False, server_default="site"),  # or "centre"
)

bmc_learned = table(
    "bmc_learned",
    node_key(),  # whose machine it controls; of those that the centre polls
    Column("learned", LargeBinary, nullable=False),  # JSON, its child's own
)

bmc_given = table(
    "bmc_given",
    node_key(),  # who was told
    Column("mark", LargeBinary, nullable=False),
    Column("order", String, nullable=False),
    Column("digest", String, nullable=False),
    Column("body", LargeBinary, nullable=False),  # sealed to that node
    Column("placed_ms", BigInteger, nullable=False),
    Column("tries", Integer, nullable=False),
)

node_samples = table(
    "node_samples",
    node_key(),
    Column("received_ms", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),  # a MessagePack Samples: its last day
)

config_report = table(  # the last word of each node on its configuration
    "config_report",
    node_key(),
    Column("at_ms", BigInteger, nullable=False),  # the node's clock
    Column("received_ms", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

drift = table(  # settings that are not as the node was told, by its last report
    "drift",
    node_key(),
    Column("setting", String, primary_key=True),
    Column("site", String, nullable=False),
    Column("wanted", PlainText, nullable=False),
    Column("found", PlainText, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)

software_report = table(
    "software_report",
    node_key(),
    Column("at_ms", BigInteger, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),  # a MessagePack SoftwareReport
)

update_report = table(
    "update_report",
    node_key(),
    Column("at_ms", BigInteger, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),  # a MessagePack JobReport, the newest
)
