"""All that one node looks at, by its configuration."""

from collections.abc import Callable, Collection, Mapping

from roost_agent.alarms.rules import Key
from roost_agent.alarms.samples.clock import KernelClock
from roost_agent.alarms.samples.disks import Disks
from roost_agent.alarms.samples.ecc import Ecc
from roost_agent.alarms.samples.filesystems import FileSystems
from roost_agent.alarms.samples.inside import Inside
from roost_agent.alarms.samples.load import Load
from roost_agent.alarms.samples.memory import Memory
from roost_agent.alarms.samples.network import Errors, Ports
from roost_agent.alarms.samples.processes import Processes
from roost_agent.alarms.samples.rarely import Rarely
from roost_agent.alarms.samples.sampler import Sampler
from roost_agent.alarms.samples.sensors import Sensors
from roost_agent.alarms.samples.units import Units
from roost_agent.config import Config


def samplers(
    config: Config,
    inside: Inside,
    alarmed: Callable[[], Collection[Key]],
    watched: Callable[[], Mapping[str, int]],
) -> list[Sampler]:
    """Return every sampler.

    Args:
        config: names what is watched besides hardware.
        inside: the agent's own state.
        alarmed: what stands, once the table is there.
        watched: processes that files define, by name.
    """
    tls = [path.tls for path in config.paths if path.tls is not None]
    files = [file for each in tls for file in (each.cert_file, each.ca_file) if file]
    return [
        inside,
        Load(),
        Memory(),
        FileSystems(config.state_dir, config.alarms.mounts),
        Ports(config.alarms.ports, alarmed),
        Errors(),
        Sensors(),
        Disks(),
        Ecc(),
        Processes(config.alarms.processes, watched),
        Units(),
        KernelClock(),
        Rarely([*files, *config.alarms.certificates]),
    ]
