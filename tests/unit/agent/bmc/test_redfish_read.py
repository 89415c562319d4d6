import json
from pathlib import Path

import pytest
import sushy
from board_controllers import mockup

from roost_agent.bmc import redfish_read as read
from roost_agent.bmc.sensor import Group, Level, Limits
from roost_agent.bmc.talk import Power

SAMPLES = Path(sushy.__file__).with_name("tests") / "unit/json_samples"


def sample(name):
    return json.loads((SAMPLES / name).read_text())


def test_the_older_schema_has_readings_and_thresholds():
    cpu, fan = read.thermal(sample("thermal.json"))
    assert (cpu.name, cpu.value, cpu.unit, cpu.group) == ("CPU Temp", 62, "C", Group.TEMPERATURE)
    assert cpu.limits == Limits(unc=75, ucr=90, unr=95)
    assert cpu.key == "/redfish/v1/Chassis/Blade1/Thermal#/Temperatures/0"
    assert (fan.value, fan.unit, fan.limits) == (6000, "rpm", Limits(lnr=2000))


def test_of_a_power_each_supply_and_voltage_is_a_sensor():
    said = sample("power.json")
    found = list(read.power_of(said))
    entries = [*said.get("Voltages", ()), *said.get("PowerControl", ()), *said["PowerSupplies"]]
    assert len(found) == len(entries) >= 2
    assert [each.value for each in found if each.name == "Power Supply 0"] == [650]


def test_every_sample_of_sushy_is_read_and_nothing_of_it_is_an_error():
    files = sorted(SAMPLES.glob("*.json"))
    assert len(files) > 100
    for file in files:
        said = json.loads(file.read_text())
        if not isinstance(said, dict):
            continue
        for reader in (read.thermal, read.power_of, read.sensor, read.excerpts):
            assert all(each.key.startswith("/redfish/") for each in reader(said)), file.name
        read.members(said), read.boot(said), read.record(said)
        if file.name.startswith("system") and "PowerState" in said:
            assert read.power(said) in {Power.ON, Power.OFF}, file.name


@pytest.mark.skipif(mockup() is None, reason="corpora absent")
def test_of_the_mock_up_every_sensor_is_read_and_what_is_absent_has_no_reading():
    resources = mockup()
    sensors = {
        path: said for path, said in resources.items()
        if "/Sensors/" in path and "#Sensor." in said.get("@odata.type", "")
    }  # fmt: skip
    assert len(sensors) >= 41
    for path, said in sensors.items():
        (found,) = read.sensor(said)
        assert found.key == path
        if said["Status"]["State"] == "Absent":
            assert found.value is None
        else:
            assert found.value == said["Reading"]
        given = [each for each in said.get("Thresholds", {}) if not each.endswith("User")]
        told = [each for each in found.limits.__struct_fields__ if
                getattr(found.limits, each) is not None]  # fmt: skip
        assert len(told) == len(given), path


@pytest.mark.parametrize("state", ["Absent", "Disabled", "UnavailableOffline"])
def test_what_is_not_there_has_no_reading_whatever_number_stands_there(state):
    said = sample("thermal.json")
    said["Temperatures"][0]["Status"] = {"State": state, "Health": "Critical"}
    cpu = next(read.thermal(said))
    assert cpu.value is None
    assert cpu.level is Level.OK


def test_health_counts_where_no_threshold_does():
    said = sample("thermal.json")
    said["Fans"][0]["Status"]["Health"] = "Critical"
    assert [each.level for each in read.thermal(said)] == [Level.OK, Level.MAJOR]


@pytest.mark.parametrize("value", [None, True, "62", [], {}, 10**400])
def test_a_reading_that_is_no_number_is_none(value):
    said = sample("thermal.json")
    said["Temperatures"][0]["ReadingCelsius"] = value
    assert next(read.thermal(said)).value is None


@pytest.mark.parametrize("bad", [None, 7, "x", [], {"Name": 3}, {"Status": "Absent"}])
def test_one_bad_entry_loses_one_sensor(bad):
    said = sample("thermal.json")
    said["Temperatures"].insert(0, bad)
    assert "CPU Temp" in [each.name for each in read.thermal(said)]
    assert list(read.thermal({"Temperatures": bad, "Fans": bad})) == []
    if isinstance(bad, dict):
        list(read.sensor({**bad, "@odata.id": "/redfish/v1/S/1", "Reading": 1, "ReadingType": []}))


def test_a_threshold_that_is_switched_off_does_not_count():
    said = {
        "@odata.id": "/redfish/v1/S/1", "Reading": 50, "ReadingType": "Rotational",
        "Thresholds": {"UpperCritical": {"Reading": 40, "Activation": "Disabled"},
                       "LowerFatal": {"Reading": 1}},
    }  # fmt: skip
    (found,) = read.sensor(said)
    assert (found.limits, found.group) == (Limits(lnr=1), Group.FANS)


def test_a_missing_link_is_no_link():
    assert read.link({}, "Thermal") == ""
    assert read.link({"Thermal": {}}, "Thermal") == ""
    assert read.link({"Thermal": {"@odata.id": "/"}}, "Thermal") == ""
    assert read.link({"Thermal": {"@odata.id": "https://elsewhere/redfish/v1"}}, "Thermal") == ""


def test_boot_and_log_are_read():
    assert read.boot(sample("system.json")) == "pxe"
    assert read.boot({"Boot": {"BootSourceOverrideEnabled": "Disabled"}}) == "none"
    assert read.boot({}) == ""
    entry = {"Id": "12", "Created": "now", "Message": " a\n b ", "Severity": "Critical"}
    found = read.record(entry)
    assert (found.record, found.text, found.severity) == (12, "a b", "Critical")
    assert read.record({"Id": "x"}) is None


def test_a_virtual_drive_is_one_for_a_cd_that_can_be_told_a_url():
    floppy = sample("virtual_media.json")
    assert not read.is_drive(floppy)
    drive = floppy | {"MediaTypes": ["CD", "DVD"]}
    assert read.is_drive(drive)
    assert read.media(drive) == drive["Image"]
    assert read.media(drive | {"Inserted": False}) == "", "what is named and not inserted"
    assert not read.is_drive(drive | {"MediaTypes": "CD"})
    for actions in (None, {}, {"#VirtualMedia.InsertMedia": {"target": "https://elsewhere/"}}):
        assert not read.is_drive(drive | {"Actions": actions})
