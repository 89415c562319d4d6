import pytest

from roost_agent.discovery.sensors import power, sensor


def chip(machine, number, place, **files):
    base = f"sys/devices/{place}/hwmon/hwmon{number}"
    machine.device(f"sys/class/hwmon/hwmon{number}", base, **files)
    return base


def test_a_sensor_is_known_by_chip_place_and_label(machine):
    chip(
        machine,
        0,
        "platform/coretemp.0",
        name="coretemp",
        temp1_label="Package id 0",
        temp1_input=40_000,
        temp1_max=84_000,
        temp1_crit=100_000,
        temp1_crit_alarm=0,
    )
    assert sensor(machine.reader()).items == {
        "coretemp platform/coretemp.0 Package id 0": {
            "kind": "temperature",
            "unit": "mc",
            "max": 84_000,
            "crit": 100_000,
        }
    }


def test_two_chips_of_one_name_and_one_chip_renumbered_keep_their_identities(machine):
    for number, place in ((1, "platform/coretemp.0"), (0, "platform/coretemp.1")):
        chip(machine, number, place, name="coretemp", temp1_input=1)
    assert sorted(sensor(machine.reader()).items) == [
        "coretemp platform/coretemp.0 temp1",
        "coretemp platform/coretemp.1 temp1",
    ]


def test_the_number_of_an_nvme_controller_is_no_part_of_its_sensors_identity(machine):
    place = "sys/devices/pci0000:00/0000:01:00.0/nvme/nvme7/hwmon3"
    machine.device("sys/class/hwmon/hwmon3", place, name="nvme", temp1_input=1)
    (item,) = sensor(machine.reader()).items
    assert item == "nvme pci0000:00/0000:01:00.0 temp1"


def test_a_label_that_is_used_twice_is_told_apart_by_its_channel(machine):
    chip(machine, 0, "platform/x", name="x", temp1_input=1, temp1_label="CPU", temp2_input=1)
    machine.plant({"sys/devices/platform/x/hwmon/hwmon0/temp2_label": "CPU"})
    assert list(sensor(machine.reader()).items) == [
        "x platform/x CPU temp1",
        "x platform/x CPU temp2",
    ]


@pytest.mark.parametrize(
    ("channel", "kind", "unit"),
    [
        ("in0", "voltage", "mv"),
        ("fan2", "fan", "rpm"),
        ("curr1", "current", "ma"),
        ("power1", "power", "uw"),
        ("humidity1", "humidity", "milli-pct"),
    ],
)
def test_each_kind_of_channel_has_its_unit(machine, channel, kind, unit):
    reading = "average" if kind == "power" else "input"
    chip(machine, 0, "platform/x", name="x", **{f"{channel}_{reading}": 1, "pwm1_enable": 1})
    (item,) = sensor(machine.reader()).items.values()
    assert (item["kind"], item["unit"]) == (kind, unit)


def test_a_limit_below_zero_is_a_limit(machine):
    chip(machine, 0, "platform/x", name="x", temp1_input=1, temp1_min=-150, temp1_lcrit="junk")
    section = sensor(machine.reader())
    item = section.items["x platform/x temp1"]
    assert (item["min"], item["lcrit"]) == (-150, None)
    assert section.missing["x platform/x temp1.lcrit"] == "unsupported"
    assert "max" not in item


def test_an_old_driver_keeps_its_files_beside_the_hwmon_directory(machine):
    machine.plant(
        {
            "sys/devices/platform/applesmc.768/name": "applesmc",
            "sys/devices/platform/applesmc.768/fan1_input": 0,
        }
    )
    base = chip(machine, 2, "platform/applesmc.768")
    machine.link(f"{base}/device", "sys/devices/platform/applesmc.768")
    assert list(sensor(machine.reader()).items) == ["applesmc platform/applesmc.768 fan1"]


def test_a_thermal_zone_has_the_lowest_trip_point_of_a_sort_as_its_limit(machine):
    zone = machine.device(
        "sys/class/thermal/thermal_zone0", "sys/devices/virtual/thermal/thermal_zone0", type="acpi"
    )
    trips = (("critical", 105_000), ("passive", 95_000), ("hot", 99_000))
    for number, (kind, limit) in enumerate(trips):
        machine.plant(
            {
                f"{zone}/trip_point_{number}_type": kind,
                f"{zone}/trip_point_{number}_temp": limit,
            }
        )
    section = sensor(machine.reader())
    assert section.items["acpi thermal"]["max"] == 95_000
    assert section.items["acpi thermal"]["crit"] == 105_000
    assert section.missing == {}


def test_without_a_driver_the_class_says_no_module(machine):
    assert sensor(machine.reader()).missing == {"*": "no-module"}


def test_hostile_chips_leave_the_good_one(machine):
    chip(machine, 0, "platform/good", name="good", temp1_input=1)
    bad = chip(machine, 1, "platform/bad", name=b"\xff\x1b[2J", temp1_input=1, temp1_max="1e9")
    machine.fifo(f"{bad}/temp1_label")
    machine.at("sys/class/hwmon/hwmon9").symlink_to("hwmon9")
    items = sensor(machine.reader()).items
    assert "good platform/good temp1" in items
    assert items["\ufffd\ufffd[2J platform/bad temp1"]["max"] is None


BAT = "sys/class/power_supply/BAT0"


def test_a_battery_tells_what_it_held_when_it_was_new(tree):
    tree.plant(
        {
            f"{BAT}/type": "Battery",
            f"{BAT}/manufacturer": "LGC",
            f"{BAT}/model_name": "LNV-45N1",
            f"{BAT}/serial_number": " 38109 ",
            f"{BAT}/energy_full_design": 47_520_000,
            f"{BAT}/energy_now": 1,
        }
    )
    assert power(tree.reader()).items["BAT0"] == {
        "type": "Battery",
        "manufacturer": "LGC",
        "model": "LNV-45N1",
        "serial": "38109",
        "capacity_uwh": 47_520_000,
    }


def test_a_battery_that_counts_charge_has_its_energy_from_the_design_voltage(tree):
    tree.plant(
        {
            f"{BAT}/type": "Battery",
            f"{BAT}/charge_full_design": 4_000_000,
            f"{BAT}/voltage_min_design": 11_100_000,
        }
    )
    assert power(tree.reader()).items["BAT0"]["capacity_uwh"] == 44_400_000


def test_the_range_of_an_energy_counter_is_inventory_and_its_count_is_not(tree):
    zone = "sys/class/powercap/intel-rapl:0"
    tree.plant(
        {f"{zone}/name": "package-0", f"{zone}/max_energy_range_uj": 9, f"{zone}/energy_uj": 1}
    )
    section = power(tree.reader())
    assert section.items == {"intel-rapl:0": {"type": "rapl", "model": "package-0", "range_uj": 9}}
    assert section.missing == {}
