"""The schema. Times are UTC ms of the centre's clock unless a column says more.

Portable types only: big integers for times and counts, LargeBinary for MessagePack documents.
A change here needs a migration in ``migrations/versions`` (a test compares the two).
"""

from roost_central.storage.tables.access import account, audit, audit_anchor, saved_view, token
from roost_central.storage.tables.alarms import (
    alarm,
    alarm_event,
    event,
    incident,
    shelf,
    suppression,
)
from roost_central.storage.tables.column import PlainText, metadata, without_nul
from roost_central.storage.tables.fleet import counter, mark, node, path, setting, site
from roost_central.storage.tables.identities import claim, enrolment, identity, node_order
from roost_central.storage.tables.inventory import (
    inventory_change,
    inventory_digests,
    inventory_part,
    inventory_section,
    inventory_value,
)
from roost_central.storage.tables.northbound import (
    northbound_dead_letter,
    northbound_target,
    snmp_engine,
)
from roost_central.storage.tables.profiles import (
    delivery,
    desired,
    desired_change,
    desired_document,
    profile,
    profile_change,
)
from roost_central.storage.tables.refused import dead_letter, held_item
from roost_central.storage.tables.reports import (
    bmc_given,
    bmc_learned,
    bmc_report,
    bmc_setting,
    config_report,
    drift,
    ha_report,
    host_report,
    hosts_report,
    node_samples,
    software_report,
    update_report,
)
from roost_central.storage.tables.rollouts import (
    rollout,
    rollout_approval,
    rollout_change,
    rollout_job,
    rollout_node,
)

__all__ = [
    "PlainText",
    "account",
    "alarm",
    "alarm_event",
    "audit",
    "audit_anchor",
    "bmc_given",
    "bmc_learned",
    "bmc_report",
    "bmc_setting",
    "claim",
    "config_report",
    "counter",
    "dead_letter",
    "delivery",
    "desired",
    "desired_change",
    "desired_document",
    "drift",
    "enrolment",
    "event",
    "ha_report",
    "held_item",
    "host_report",
    "hosts_report",
    "identity",
    "incident",
    "inventory_change",
    "inventory_digests",
    "inventory_part",
    "inventory_section",
    "inventory_value",
    "mark",
    "metadata",
    "node",
    "node_order",
    "node_samples",
    "northbound_dead_letter",
    "northbound_target",
    "path",
    "profile",
    "profile_change",
    "rollout",
    "rollout_approval",
    "rollout_change",
    "rollout_job",
    "rollout_node",
    "saved_view",
    "setting",
    "shelf",
    "site",
    "snmp_engine",
    "software_report",
    "suppression",
    "token",
    "update_report",
    "without_nul",
]
