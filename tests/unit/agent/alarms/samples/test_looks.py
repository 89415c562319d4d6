"""What the samplers see in the trees of other machines, and on this one."""

import pytest

from roost_agent.alarms.rules import Finding, Reading
from roost_agent.alarms.samples.certificates import Certificates
from roost_agent.alarms.samples.child import output
from roost_agent.alarms.samples.clock import KernelClock
from roost_agent.alarms.samples.disks import Disks
from roost_agent.alarms.samples.ecc import Ecc
from roost_agent.alarms.samples.filesystems import FileSystems
from roost_agent.alarms.samples.inside import Inside, OutboxState
from roost_agent.alarms.samples.load import Load
from roost_agent.alarms.samples.memory import Memory
from roost_agent.alarms.samples.network import Errors, Ports
from roost_agent.alarms.samples.pci import Pci
from roost_agent.alarms.samples.processes import PAGE_MIB, TICKS, Processes
from roost_agent.alarms.samples.rarely import Rarely
from roost_agent.alarms.samples.sampler import Look, Measured
from roost_agent.alarms.samples.sensors import Sensors
from roost_agent.alarms.samples.speed import Speed, _judge
from roost_agent.alarms.samples.units import Units
from roost_agent.config import PortRole
from roost_agent.discovery.reader import Reader
from roost_agent.discovery.section import Missing
from roost_agent.errors import ProbeError
from roost_protocol import entity as entities
from roost_protocol.samples import KINDS
from roost_protocol.severity import Severity

CLEARED, MINOR, MAJOR, CRITICAL = (
    Severity.CLEARED,
    Severity.MINOR,
    Severity.MAJOR,
    Severity.CRITICAL,
)
LIVE = Reader()


class Machine:
    """A tree of files, read as a machine."""

    def __init__(self, folder):
        self.folder = folder
        self.now_ms = 0
        self.measured = {}

    def put(self, **files):
        for path, text in files.items():
            self.file(path, text)

    def file(self, path, text):
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def link(self, path, target):
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.symlink_to(target)

    def see(self, sampler, after=0):
        self.now_ms += after
        reader = Reader(str(self.folder))
        seen = list(sampler.sample(Look(reader, self.now_ms)))
        reader.close()
        measured = [each for each in seen if isinstance(each, Measured)]
        self.measured = {(each.kind, each.of): each.value for each in measured}
        assert {each.kind for each in measured} <= KINDS.keys()
        assert len(self.measured) == len(measured)
        found = [each for each in seen if not isinstance(each, Measured)]
        assert {each.type for each in found} <= sampler.types
        for each in found:
            entities.parse(each.entity)
        return {
            (each.type, each.entity): each.value if isinstance(each, Reading) else each.severity
            for each in found
        }


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def test_processor_use_is_over_the_time_between_two_looks_without_isolated_cores(machine):
    machine.file("sys/devices/system/cpu/isolated", "1\n")
    machine.file("proc/stat", "cpu 0\ncpu0 10 0 0 90 0 0 0 0 0 0\ncpu1 9 0 0 0 0 0 0 0\nintr 5\n")
    machine.file("proc/loadavg", "3.00 2.00 1.00 1/500 77\n")
    machine.file("proc/sys/kernel/pid_max", "1000\n")
    machine.file("proc/pressure/io", "some avg10=0.1 avg60=41.5 avg300=0 total=1\nfull avg60=1\n")
    load = Load()
    first = machine.see(load)
    assert first["100.101", ""] is None
    assert first["100.810", ""] == 2.0
    assert first["100.813", ""] == 50.0
    assert first["100.809", "resource=io"] == 41.5
    assert first["100.809", "resource=cpu"] is None
    machine.file("proc/stat", "cpu 0\ncpu0 40 0 0 100 60 0 0 0 0 0\ncpu1 99 0 0 0 0 0 0 0\n")
    assert machine.see(load)["100.101", ""] == 30.0
    assert machine.measured["cpu", ""] == 30.0
    assert machine.measured["load", ""] == 2.0
    assert machine.measured["pids", ""] == 50.0
    assert machine.measured["pressure", "resource=io"] == 41.5
    (machine.folder / "proc/stat").unlink()
    assert machine.see(load)["100.101", ""] is None


def test_a_machine_without_these_files_says_nothing(machine):
    assert set(machine.see(Load()).values()) == {None}
    assert set(machine.see(Memory()).values()) == {None}
    for sampler in (Disks(), Ecc(), Errors(), FileSystems(), Pci(), Sensors(), Units()):
        assert machine.see(sampler) == {}
    assert machine.see(KernelClock()) == {("100.114", ""): None}
    assert machine.see(Rarely([])) == {}
    assert machine.see(Speed()) == {}


def test_memory_counts_without_huge_pages_and_by_node(machine):
    text = (
        "MemTotal: 1000 kB\nMemAvailable: 90 kB\nHugetlb: 500 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n"
    )
    machine.file("proc/meminfo", text)
    assert machine.see(Memory()) == {("100.103", ""): 82.0, ("100.808", ""): 0.0}
    machine.file("proc/meminfo", text.replace("SwapTotal: 0", "SwapTotal: 10"))
    for number in (0, 1):
        machine.file(
            f"sys/devices/system/node/node{number}/meminfo",
            f"Node {number} MemTotal: 1000 kB\nNode {number} MemFree: 100 kB\n"
            f"Node {number} Active(file): 150 kB\n",
        )
    found = machine.see(Memory())
    assert found["100.103", "numa=1"] == 75.0
    assert found["100.808", ""] == 100.0
    assert machine.measured["memory", "numa=1"] == 75.0
    assert machine.measured["memory", ""] == 82.0
    assert machine.measured["swap", ""] == 100.0


def test_file_systems_are_each_looked_at_once_and_one_that_went_read_only_is_found(machine):
    lines = [
        "1 0 8:1 / / rw - ext4 /dev/sda1 ro,errors=remount-ro",
        "2 0 8:1 /srv /srv rw - ext4 /dev/sda1 rw",
        "3 0 8:2 / /var\\040x rw - xfs /dev/sda2 rw",
        "4 0 0:5 / /proc rw - proc proc rw",
        "5 0 0:6 / /mnt rw - nfs4 host:/x rw",
        "6 0 8:3 / /cd ro - iso9660 /dev/sr0 ro",
        "7 0 0:7 / /home/x rw - tmpfs tmpfs rw",
        "8 0 0:8 / /run rw - tmpfs tmpfs rw",
        "9 0 0:9 / /var/lib/docker/x rw - overlay overlay rw",
        "nonsense",
    ]
    machine.file("proc/1/mountinfo", "\n".join(lines))
    found = machine.see(FileSystems())
    writable = {entity: value for (type_, entity), value in found.items() if type_ == "100.806"}
    assert writable == {"fs=/": CRITICAL, "fs=/var x": CLEARED, "fs=/run": CLEARED}
    assert 0 < found["100.104", "fs=/"] <= 100
    assert found["100.104", "fs=/var x"] is None  # not in this tree
    worst = max(machine.measured["space", "fs=/"], machine.measured.get(("inodes", "fs=/"), 0))
    assert worst == found["100.104", "fs=/"]


def port(machine, name, *, carrier, flags="0x1003"):
    base = f"sys/class/net/{name}"
    machine.file(f"{base}/flags", flags)
    machine.file(f"{base}/carrier", f"{carrier}\n")
    machine.file(f"{base}/device/vendor", "0x8086")


def test_a_port_is_watched_once_it_had_a_carrier_or_is_named(machine):
    port(machine, "eth0", carrier=1)
    port(machine, "eth1", carrier=0)
    port(machine, "eth2", carrier=0)
    port(machine, "eth3", carrier=0, flags="0x1002")
    machine.file("sys/class/net/lo/carrier", "1")
    roles = {"eth1": PortRole.WAN, "gone": PortRole.HA, "eth3": PortRole.LAN}
    ports = Ports(roles, lambda: [("100.108", "port=eth2"), ("100.101", "")])
    assert machine.see(ports) == {
        ("100.108", "port=eth0"): CLEARED,
        ("100.106", "port=eth1"): MAJOR,
        ("100.108", "port=eth2"): MAJOR,
        ("100.108", "port=eth3"): MAJOR,
        ("100.110", "port=gone"): MAJOR,
    }
    port(machine, "eth0", carrier=0)
    assert machine.see(ports)["100.108", "port=eth0"] is MAJOR
    port(machine, "eth0", carrier=0, flags="0x1002")  # taken down on purpose
    assert machine.see(ports)["100.108", "port=eth0"] is CLEARED


@pytest.mark.parametrize(
    ("states", "severity"), [("up up", CLEARED), ("up down", MAJOR), ("down down", CRITICAL)]
)
def test_a_bond_counts_its_members(machine, states, severity):
    machine.file("sys/class/net/bond0/bonding/slaves", "a b\n")
    for name, state in zip("ab", states.split(), strict=True):
        machine.file(f"sys/class/net/{name}/bonding_slave/mii_status", state)
    found = machine.see(Ports({"bond0": PortRole.WAN}, list))
    assert found == {("100.107", "interface=bond0"): severity}


def test_packets_in_error_are_a_rate_between_two_looks(machine):
    base = "sys/class/net/eth0"
    machine.file(f"{base}/device/vendor", "x")

    def count(packets, errors):
        for name, value in {"rx_packets": packets, "rx_errors": errors}.items():
            machine.file(f"{base}/statistics/{name}", str(value))
            machine.file(f"{base}/statistics/t{name[1:]}", "0")

    errors, key = Errors(), ("100.812", "interface=eth0")
    count(0, 0)
    assert machine.see(errors)[key] is None
    count(990, 10)
    assert machine.see(errors)[key] == 10.0
    count(1_000, 500)
    assert machine.see(errors)[key] == 0.0  # too few packets to tell
    count(0, 0)
    assert machine.see(errors)[key] is None
    (machine.folder / base / "statistics/rx_errors").unlink()
    assert machine.see(errors)[key] is None


def test_sensors_are_judged_by_their_own_limits_and_others_not_at_all(machine):
    base = "sys/class/hwmon/hwmon0"
    files = {
        "name": "chip", "temp1_input": "91500", "temp1_max": "85000", "temp1_crit": "95000",
        "temp1_label": "CPU", "temp2_input": "40000", "temp2_max": "0", "temp2_crit": "65261850",
        "fan1_input": "300", "fan1_min": "500", "fan2_input": "0", "fan2_min": "0",
        "fan3_input": "900", "fan3_min": "500", "fan3_fault": "1",
    }  # fmt: skip
    for name, text in files.items():
        machine.file(f"{base}/{name}", text)
    sensors = Sensors()
    found = machine.see(sensors)
    assert found == {
        ("200.007", "sensor=chip CPU"): 91.5,
        ("200.007", "sensor=chip fan1"): 300.0,
        ("200.007", "sensor=chip fan3"): MAJOR,
    }
    assert machine.measured["temperature", "sensor=chip CPU"] == 91.5
    assert machine.measured["fan", "sensor=chip fan1"] == 300
    (machine.folder / base / "temp1_input").unlink()
    assert machine.see(sensors, after=1)["200.007", "sensor=chip CPU"] is None
    assert machine.measured["temperature", "sensor=chip CPU"] is None


def test_disks_and_arrays(machine):
    machine.file("sys/class/nvme/nvme0/state", "live")
    machine.file("sys/class/nvme/nvme1/state", "dead")
    machine.file("sys/block/sda/device/state", "running")
    machine.file("sys/block/sdb/device/state", "offline")
    machine.file("sys/block/mmcblk0/device/life_time", "0x01 0x0A")
    machine.file("sys/block/mmcblk1/device/life_time", "0x01 0x02")
    machine.file("sys/block/mmcblk1/device/pre_eol_info", "0x03")
    machine.file("sys/block/mmcblk2/size", "1")
    machine.file("sys/block/md0/md/array_state", "clean")
    machine.file("sys/block/md0/md/degraded", "1")
    machine.file("sys/block/md1/md/array_state", "inactive")
    machine.file("sys/block/md2/md/x", "")
    assert machine.see(Disks()) == {
        ("100.801", "disk=nvme0"): CLEARED,
        ("100.801", "disk=nvme1"): MAJOR,
        ("100.801", "disk=sda"): CLEARED,
        ("100.801", "disk=sdb"): MAJOR,
        ("100.801", "disk=mmcblk0"): MINOR,
        ("100.801", "disk=mmcblk1"): MAJOR,
        ("100.804", "md=md0"): MAJOR,
        ("100.804", "md=md1"): CRITICAL,
        ("100.804", "md=md2"): None,
    }


def test_memory_errors_count_by_the_hour_and_an_uncorrected_one_for_good(machine):
    base = "sys/devices/system/edac/mc/mc0/dimm0"
    machine.file(f"{base}/dimm_label", "DIMM_A1")
    ecc, key = Ecc(), ("100.802", "dimm=DIMM_A1")

    def count(corrected, uncorrected=0):
        machine.file(f"{base}/dimm_ce_count", str(corrected))
        machine.file(f"{base}/dimm_ue_count", str(uncorrected))

    assert machine.see(ecc)[key] is None
    count(100)
    assert machine.see(ecc)[key] is CLEARED
    count(110)
    assert machine.see(ecc, after=60_000)[key] is CLEARED
    count(111)
    assert machine.see(ecc, after=60_000)[key] is MINOR
    assert machine.see(ecc, after=3_600_000)[key] is CLEARED
    count(111, 1)
    assert machine.see(ecc)[key] is CRITICAL


def test_a_card_in_a_slot_as_narrow_as_its_link_is_well(machine):
    for name, width, slot in (("0000:01:00.0", 4, 8), ("0000:02:00.0", 4, 4)):
        root = f"sys/devices/pci0000:00/{name[:-1]}9"
        machine.file(f"{root}/max_link_width", str(slot))
        machine.file(f"{root}/{name}/max_link_width", "8")
        machine.file(f"{root}/{name}/current_link_width", str(width))
        machine.link(f"sys/bus/pci/devices/{name}", f"../../../../{root}/{name}")
    assert machine.see(Pci()) == {
        ("100.803", "pci=0000:01:00.0"): Severity.WARNING,
        ("100.803", "pci=0000:02:00.0"): CLEARED,
    }


def test_programs_that_must_run(machine):
    machine.file("proc/7/comm", "pump\n")
    machine.file("proc/7/limits", "Max open files            10                   20   files\n")
    for number in range(9):
        machine.file(f"proc/7/fd/{number}", "")
    machine.file("proc/8/comm", "shy\n")
    assert machine.see(Processes(["pump", "gone", "shy"], dict)) == {
        ("200.006", "process=pump"): CLEARED,
        ("100.150", "process=pump"): 90.0,
        ("200.006", "process=gone"): MAJOR,
        ("200.006", "process=shy"): CLEARED,
        ("100.150", "process=shy"): None,
    }
    assert machine.see(Processes([], dict)) == {}


def test_of_processes_that_files_define_their_descriptors_count_and_their_state_is_left_alone(
    machine,
):
    machine.file("proc/7/comm", "pump\n")
    machine.file("proc/7/limits", "Max open files            10                   20   files\n")
    for number in range(9):
        machine.file(f"proc/7/fd/{number}", "")
    looked = Processes(["pump"], lambda: {"pump": 7, "web": 0})
    assert machine.see(looked) == {
        ("200.006", "process=pump"): None,
        ("100.150", "process=pump"): 90.0,
        ("200.006", "process=web"): None,
        ("100.150", "process=web"): None,
    }


def test_what_a_watched_process_takes_is_of_one_process_between_two_looks(machine):
    def stat(ticks, pages):
        return f"7 (a) b) S {' '.join('0' * 10)} {ticks} {ticks} {' '.join('0' * 8)} {pages} 0"

    pids = {"pump": 7, "web": 0}
    looked = Processes([], lambda: pids)
    machine.file("proc/7/stat", stat(100, 512))
    machine.see(looked)
    assert machine.measured["process_cpu", "process=pump"] is None
    assert machine.measured["process_memory", "process=pump"] == 512 * PAGE_MIB
    assert machine.measured["process_memory", "process=web"] is None
    machine.file("proc/7/stat", stat(100 + TICKS, 512))
    machine.see(looked, after=20_000)
    assert machine.measured["process_cpu", "process=pump"] == 10.0
    pids["pump"] = 8
    machine.file("proc/8/stat", stat(5_000, 1))
    machine.see(looked, after=20_000)
    assert machine.measured["process_cpu", "process=pump"] is None


def test_a_sensor_without_limits_is_remembered_and_not_judged(machine):
    base = "sys/class/hwmon/hwmon0"
    machine.put(**{f"{base}/name": "chip", f"{base}/temp1_input": "-5500"})
    assert machine.see(Sensors()) == {}
    assert machine.measured == {("temperature", "sensor=chip temp1"): -5.5}


def test_units_that_failed_are_those_that_systemctl_lists(machine):
    machine.file("run/systemd/system/x", "")
    units = Units(("printf", "a.service loaded failed failed A\\n\\nb@1.service x\\n"))
    assert machine.see(units) == {
        ("400.001", "service=a.service"): MAJOR,
        ("400.001", "service=b@1.service"): MAJOR,
    }
    with pytest.raises(ProbeError):
        machine.see(Units(("false",)))


def test_the_kernels_clock_is_synchronised_or_not():
    def see(text):
        (found,) = KernelClock(("printf", text)).sample(Look(LIVE, 0))
        return found.severity

    assert see("64 16000000") is MAJOR
    assert see("8193 5000") is CLEARED
    assert see("") is None
    words = output(KernelClock()._command).split()  # the real one, whatever it says
    assert len(words) == 2


def test_a_certificate_is_told_from_three_quarters_of_its_life(machine, monkeypatch):
    chains = {"one": [(0, 100)], "bundle": [(0, 100)] * 9, "junk": []}
    monkeypatch.setattr(
        "roost_agent.alarms.samples.certificates.validities", lambda text: iter(chains[text])
    )
    for name in chains:
        machine.file(f"etc/{name}.pem", name)

    def see(wall_ms, name="one"):
        found = machine.see(Certificates([f"/etc/{name}.pem"], lambda: wall_ms))
        return [severity for _, severity in sorted(found.items())]

    assert see(74) == [CLEARED, CLEARED]
    assert see(75) == [MAJOR, CLEARED]
    assert see(100) == [CLEARED, CRITICAL]
    assert see(50, "bundle") == see(50, "junk") == see(50, "gone") == [None, None]
    assert machine.see(Certificates(["/" + "x" * 300, "/a/../b"], lambda: 0)) == {}


def test_a_port_is_slow_when_both_ends_could_do_more():
    assert _judge("interface=a", 100, 1_000).severity is Severity.WARNING
    assert _judge("interface=a", 1_000, 1_000).severity is CLEARED
    assert _judge("interface=a", None, 1_000).severity is None
    assert _judge("interface=a", -1, 1_000).severity is None
    assert _judge("interface=a", 10, Missing("x")).severity is None


def test_the_rare_looks_come_from_a_child(tmp_path):
    file = tmp_path / "none.pem"
    found = list(Rarely([str(file)]).sample(Look(LIVE, 0)))
    assert Finding("500.210", f"cert={file}", None, {}) in found
    bad = Rarely([], command=("printf", "{}"))
    with pytest.raises(ProbeError, match="no list"):
        list(bad.sample(Look(LIVE, 0)))
    alien = Rarely([], command=("printf", '[["999.999","",4,{}]]'))
    assert list(alien.sample(Look(LIVE, 0))) == []


def test_a_child_that_is_not_there_or_fails_is_told():
    for command in (("/nonexistent",), ("false",)):
        with pytest.raises(ProbeError):
            output(command)


def test_the_outbox_and_the_clock_against_the_centres():
    for offset_s, seen in ((None, None), (-7.0, 7.0), (0.0, 0.0)):
        inside = Inside(lambda: OutboxState(70, 100, "disk full"), lambda: offset_s)  # noqa: B023
        found = inside.sample(Look(LIVE, 0))
        values = [each.value if isinstance(each, Reading) else each.severity for each in found]
        assert values == [70.0, CRITICAL, seen]


@pytest.mark.parametrize(
    "sampler", [Load(), Memory(), FileSystems(), Ports({}, list), Errors(), Speed(), Sensors(),
                Disks(), Ecc(), Pci(), Processes(["python"], dict), Units()],
    ids=lambda each: type(each).__name__,
)  # fmt: skip
def test_every_look_at_this_machine_is_sound(sampler):
    for sample in sampler.sample(Look(LIVE, 0)):
        if isinstance(sample, Measured):
            assert sample.kind in KINDS
            entities.parse(sample.of)
            continue
        assert sample.type in sampler.types
        entities.parse(sample.entity)
