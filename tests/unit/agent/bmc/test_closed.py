"""Passwords of bmc.toml, closed to the box that they lie on."""

import pytest
from board_controllers import PASSWORD, bmc_toml
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec.structs import replace

from roost_agent.bmc import command
from roost_agent.bmc.board import SEALED_CHARS_MAX, load
from roost_agent.bmc.board_file import toml
from roost_agent.bmc.closed import SEALING_KEY, close, opened
from roost_agent.bmc.ready import ready_boards
from roost_agent.enrol.keys import private_pem
from roost_agent.enrolled import FOLDER
from roost_agent.errors import AgentError, ConfigError
from roost_agent.ports import SystemEntropy
from roost_protocol.boards import SECRET_CHARS_MAX


@pytest.fixture
def key(tmp_path):
    (tmp_path / FOLDER).mkdir()
    key = X25519PrivateKey.generate()
    (tmp_path / FOLDER / SEALING_KEY).write_bytes(private_pem(key))
    return key


def run(folder, *words):
    given = ["--file", str(folder / "bmc.toml"), "--state-dir", str(folder), *words]
    return command.run(given)


def test_a_password_is_closed_by_the_command_and_opened_for_who_asks(key, tmp_path, capsys):
    file = bmc_toml(tmp_path)
    assert run(tmp_path, "seal") == 0
    assert "passwords sealed to this box" in capsys.readouterr().out
    assert PASSWORD not in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    (board,) = load(str(file))
    assert board.password == ""
    found = ready_boards(str(file), tmp_path, ["n1"])
    assert (found.boards["n1"].password, found.why_not) == (PASSWORD, {})
    before = file.read_text()
    assert run(tmp_path, "seal") == 0
    assert file.read_text() == before, "what is closed stays as it is"


def test_a_box_without_a_key_keeps_it_in_the_clear_and_says_so(tmp_path, capsys):
    file = bmc_toml(tmp_path)
    assert run(tmp_path, "seal") == 0
    assert "in the clear" in capsys.readouterr().out
    assert PASSWORD in file.read_text()


def test_it_does_not_open_for_another_host_node_or_box(key, tmp_path):
    (board,) = load(str(bmc_toml(tmp_path)))
    closed = close(board, key, SystemEntropy())
    assert opened(closed, key) == board
    for other, by in (
        (replace(closed, host="10.9.9.9"), key),
        (replace(closed, node="n2"), key),
        (replace(closed, sealed="%%%"), key),
        (replace(closed, sealed="AAAA"), key),
        (closed, X25519PrivateKey.generate()),
    ):
        with pytest.raises(ConfigError, match="roost-agent bmc set") as told:
            opened(other, by)
        assert PASSWORD not in str(told.value)


def test_the_longest_password_fits_closed(key, tmp_path):
    (board,) = load(str(bmc_toml(tmp_path, password="\u20ac" * SECRET_CHARS_MAX)))
    closed = close(board, key, SystemEntropy())
    assert len(closed.sealed) <= SEALED_CHARS_MAX
    assert opened(closed, key) == board


def test_another_host_asks_for_the_password_again(key, tmp_path):
    bmc_toml(tmp_path)
    run(tmp_path, "seal")
    assert run(tmp_path, "set", "n1", "--port", "8443") == 0
    with pytest.raises(AgentError, match="give --user"):
        run(tmp_path, "set", "n1", "--host", "10.9.9.9")
    (board,) = ready_boards(str(tmp_path / "bmc.toml"), tmp_path, ["n1"]).boards.values()
    assert (board.port, board.password) == (8443, PASSWORD)


def test_a_file_with_both_forms_is_refused(key, tmp_path):
    file = bmc_toml(tmp_path)
    (board,) = load(str(file))
    closed = close(board, key, SystemEntropy())
    file.write_text(toml([replace(closed, password="x")]))
    with pytest.raises(ConfigError, match="one of password, sealed"):
        load(str(file))
    file.write_text(toml([closed]))
    found = ready_boards(str(file), None, ["n1"])
    assert "name the state directory" in found.why_not["n1"]
