"""What a group says where it cannot have a cgroup; tests/integration/services runs groups."""

import errno
from pathlib import Path

from roost_agent.ha.services.shell import no_folder

DENIED = PermissionError(errno.EACCES, "Permission denied")


def test_a_node_without_cgroup_v2_is_told_what_to_do():
    told = no_folder(Path("/sys/fs/cgroup/roost-ha/shared/logs"), DENIED, None)
    assert told.startswith("no cgroup v2 is mounted here: boot with")


def test_any_other_reason_is_told_with_the_folder():
    told = no_folder(Path("/cg/roost-ha/shared/logs"), DENIED, "/cg")
    assert told == "/cg/roost-ha/shared/logs: Permission denied"
