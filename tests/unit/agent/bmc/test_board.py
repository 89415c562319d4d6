import pytest

from roost_agent.bmc.board import decode, load
from roost_agent.bmc.board_file import save, toml
from roost_agent.bmc.sensor import Group
from roost_agent.errors import ConfigError

SECRET = "canary-of-the-file"
ONE = f"""
[[bmc]]
node = "n1"
host = "10.0.0.5"
user = "roost"
password = "{SECRET}"
suppress = ["/redfish/v1/Chassis/1/Sensors/S1"]
[bmc.groups.temperature]
critical = "power-cycle"
"""


def refused(text):
    with pytest.raises(ConfigError) as told:
        decode(text.encode())
    assert SECRET not in str(told.value)
    assert told.value.__cause__ is None
    return str(told.value)


def test_settings_are_by_group_with_alarms_where_nothing_is_said():
    (board,) = decode(ONE.encode())
    assert board.of(Group.TEMPERATURE).critical == "power-cycle"
    assert board.of(Group.TEMPERATURE).minor == board.of(Group.FANS).critical == "alarm"
    assert board.type == "dynamic"


def test_a_fault_names_the_key_and_never_quotes_a_secret():
    assert "port" in refused(ONE.replace("[bmc.groups", "port = 70000\n[bmc.groups"))
    assert "mistyped" in refused(ONE.replace("[bmc.groups", "mistyped = 1\n[bmc.groups"))
    assert "not TOML" in refused(ONE.replace('user = "roost"', "user = "))
    assert "password" in refused(ONE.replace(f'"{SECRET}"', f'["{SECRET}"]'))
    assert "line break" in refused(ONE.replace(SECRET, f"{SECRET}\\n-x"))
    assert "named twice" in refused(ONE + ONE)
    assert "user and password" in refused(ONE.replace(f'password = "{SECRET}"', ""))
    assert "minor" in refused(ONE.replace("critical =", "minor ="))
    assert "one of ca, ca_file" in refused(
        ONE.replace(
            "[bmc.groups", f'ca_file = "/c"\ncertificate_sha256 = "{"a" * 64}"\n[bmc.groups'
        )
    )


def test_a_local_controller_needs_no_credential_and_is_no_redfish():
    (board,) = decode(b'[[bmc]]\nnode = "n1"\nhost = "local"\n')
    assert board.user == ""
    assert "local way" in refused('[[bmc]]\nnode = "n1"\nhost = "local"\ntype = "redfish"\n')


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_file_that_others_may_read_is_refused(tmp_path, mode):
    file = tmp_path / "bmc.toml"
    file.write_text(ONE)
    file.chmod(mode)
    with pytest.raises(ConfigError, match="must be the agent's, 0600"):
        load(str(file))
    file.chmod(0o600)
    assert [each.node for each in load(str(file))] == ["n1"]


def test_a_file_is_written_as_it_was_read_and_for_nobody_else(tmp_path):
    found = decode(ONE.replace(SECRET, 'a\\"b\\\\c\\u00e9#\\u007f').encode())
    assert decode(toml(found).encode()) == found
    file = tmp_path / "bmc.toml"
    save(file, found)
    assert file.stat().st_mode & 0o777 == 0o600
    assert load(str(file)) == found


def test_a_file_that_is_not_there_or_far_too_long_is_told(tmp_path):
    with pytest.raises(ConfigError, match="No such file"):
        load(str(tmp_path / "bmc.toml"))
    file = tmp_path / "bmc.toml"
    file.write_text("#" * 300_000)
    file.chmod(0o600)
    with pytest.raises(ConfigError, match="longer than"):
        load(str(file))
