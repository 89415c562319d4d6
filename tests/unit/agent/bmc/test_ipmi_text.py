import pytest

from roost_agent.bmc import ipmi_text as text
from roost_agent.bmc.sensor import Group, Level, Limits
from roost_agent.bmc.talk import LogRecord, Power

CPU = """\
Sensor ID              : CPU Temp (0x1)
 Entity ID             : 3.1
 Sensor Type (Threshold)  : Temperature
 Sensor Reading        : 150 (+/- 0) degrees C
 Status                : Upper Critical
 Lower Non-Recoverable : na
 Lower Critical        : na
 Lower Non-Critical    : na
 Upper Non-Critical    : 112.000
 Upper Critical        : 144.000
 Upper Non-Recoverable : 160.000
 Positive Hysteresis   : Unspecified
"""
FAN = """\
Sensor ID              : FAN 1 (0x41)
 Entity ID             : 29.1 (Fan Device)
 Sensor Type (Threshold)  : Fan (0x04)
 Sensor Reading        : No Reading
 Status                : Not Available
 Lower Critical        : 500.000
"""
DISCRETE = """\
Sensor ID              : PS1 Status (0xc8)
 Entity ID             : 10.1
 Sensor Type (Discrete): Power Supply
 States Asserted       : Power Supply
"""


def test_sensors_are_read_by_their_labels_with_their_thresholds():
    (cpu,) = text.sensors(CPU)
    assert (cpu.key, cpu.name, cpu.group) == ("ipmi:3.1/0x1", "CPU Temp", Group.TEMPERATURE)
    assert (cpu.value, cpu.unit) == (150.0, "C")
    assert cpu.limits == Limits(unc=112, ucr=144, unr=160)
    assert cpu.said is Level.MAJOR


def test_a_sensor_without_a_reading_has_none_and_is_not_bad_for_it():
    (fan,) = text.sensors(FAN)
    assert (fan.value, fan.group, fan.level) == (None, Group.FANS, Level.OK)


def test_one_bad_block_loses_one_sensor_and_discrete_ones_are_left_out():
    broken = CPU.replace("CPU Temp (0x1)", "CPU Temp ???")
    found = text.sensors(f"{broken}\ngarbage: \x00 : :\n\n{DISCRETE}\n{FAN}")
    assert [each.name for each in found] == ["FAN 1"]


def test_two_sensors_of_one_name_are_two():
    other = CPU.replace("(0x1)", "(0x2)")
    assert [each.key for each in text.sensors(f"{CPU}\n{other}\n{CPU}")] == [
        "ipmi:3.1/0x1",
        "ipmi:3.1/0x2",
    ]


@pytest.mark.parametrize("value", ["nan", "inf", "-", "", "1e999"])
def test_what_is_no_number_is_no_reading(value):
    (cpu,) = text.sensors(CPU.replace("150 (+/- 0)", value))
    assert cpu.value is None


def test_power_is_known_only_when_it_is_said():
    assert text.power("Chassis Power is on\n") is Power.ON
    assert text.power("Chassis Power is off") is Power.OFF
    assert text.power("Chassis Power is on, perhaps") is Power.UNKNOWN
    assert text.power("") is Power.UNKNOWN


def test_the_device_of_the_next_boot_is_read():
    said = "Boot Flags :\n   - Boot Flag Invalid\n   - Boot Device Selector : Force PXE\n"
    assert text.boot(said) == "pxe"
    assert text.boot(said.replace("Force PXE", "Force Boot from Remote CD")) == ""
    assert text.boot(said.replace("Force PXE", "No override")) == "none"


def test_records_of_the_log_have_hexadecimal_numbers():
    said = (
        "1, Pre-Init ,0000000844,Temperature CPU Temp,Upper Non-critical going high,Asserted\n"
        "1f,11/29/2026,10:00:00,Fan FAN 1,Lower Critical,Asserted,\nSEL has no entries\nzz,a,b,c\n"
    )
    assert text.records(said) == [
        LogRecord(1, "Pre-Init 0000000844",
                  "Temperature CPU Temp, Upper Non-critical going high, Asserted"),
        LogRecord(31, "11/29/2026 10:00:00", "Fan FAN 1, Lower Critical, Asserted"),
    ]  # fmt: skip


def test_the_machine_is_told_by_its_guid():
    assert text.guid("System GUID   : efcdab89-6745-23a1\nGUID Encoding : IPMI\n") == (
        "efcdab89-6745-23a1"
    )
    assert text.guid("nothing") == ""
    assert text.info("Manufacturer Name : ACME\n")["Manufacturer Name"] == "ACME"
