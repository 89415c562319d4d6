"""The command line."""

from pathlib import Path

import pytest

from roost_agent.__main__ import COMMANDS, HELP, command

GOOD = """
site = "lab"
node = "n1"
state_dir = "{state}"
[[path]]
name = "wan1"
kind = "wan"
broker = "mqtt://127.0.0.1"
bind = "127.0.1.1"
"""


@pytest.fixture
def config(tmp_path):
    file = tmp_path / "agent.toml"
    file.write_text(GOOD.format(state=tmp_path / "state"))
    return str(file)


def test_help_names_every_command(capsys):
    assert command([]) == command(["--help"]) == 0
    assert all(f"  {name} " in HELP for name in COMMANDS)
    assert capsys.readouterr().out == HELP * 2


def test_the_version_is_printed(capsys):
    assert command(["--version"]) == 0
    assert capsys.readouterr().out.startswith("roost-agent 0.")


def test_an_unknown_command_is_refused(capsys):
    assert command(["walk"]) == 2
    assert "no command 'walk'" in capsys.readouterr().err


def test_check_config_says_what_the_agent_would_do(config, capsys):
    assert command(["check-config", "--config", config]) == 0
    out = capsys.readouterr().out
    assert out.startswith("OK  node lab.n1")
    assert "path       wan1: wan, mqtt://127.0.0.1:1883 from 127.0.1.1\n" in out


def test_check_config_tells_every_fault_and_exits_with_2(tmp_path, capsys):
    file = tmp_path / "agent.toml"
    file.write_text('site = "Lab"\n[beat]\ninterval_s = 0\n')
    assert command(["check-config", "--config", str(file)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 4
    assert all(line.startswith("roost-agent: agent.toml: ") for line in lines)


@pytest.mark.parametrize(
    "argv", [["status"], ["path", "hold", "wan1", "--for", "2m"], ["reprobe", "cpu"]]
)
def test_without_an_agent_the_question_fails_with_a_sentence(argv, config, capsys):
    assert command([*argv, "--config", config]) == 1
    assert capsys.readouterr().err.startswith("roost-agent: no agent answers on ")


@pytest.mark.parametrize("time", ["0s", "2d", "25h", "-1", "x", "1.5h"])
def test_a_hold_needs_a_time_within_a_day(time, config, capsys):
    assert command(["path", "hold", "wan1", "--for", time, "--config", config]) == 2
    assert "1s to 24h" in capsys.readouterr().err or time == "-1"


def test_a_hold_without_a_time_is_refused(config, capsys):
    assert command(["path", "hold", "wan1", "--config", config]) == 2
    assert "must end" in capsys.readouterr().err


def test_board_controllers_are_checked_with_the_configuration(config, capsys, tmp_path):
    file = tmp_path / "bmc.toml"
    with Path(config).open("a") as stream:
        stream.write(f'[bmc]\nfile = "{file}"\n')
    file.write_text('[[bmc]]\nnode = "n1"\nhost = "local"\n')
    file.chmod(0o600)
    assert command(["check-config", "--config", config]) == 0
    assert "1 board controllers: n1" in capsys.readouterr().out
    file.chmod(0o644)
    assert command(["check-config", "--config", config]) == 2
    assert "must be the agent's, 0600" in capsys.readouterr().err


DEEPER = [["verify", mode] for mode in ("order", "release", "refresh", "commit", "anchor", "show")]


@pytest.mark.parametrize("argv", [*([name] for name in COMMANDS), *DEEPER], ids=" ".join)
@pytest.mark.parametrize("word", ["--help", "-h"])
def test_every_command_says_how_it_is_used(argv, word, capsys):
    assert command([*argv, word]) == 0
    said = capsys.readouterr()
    assert said.out.startswith(f"usage: roost-agent {argv[0]} ")
    assert said.err == ""


@pytest.mark.parametrize("argv", [*([name] for name in COMMANDS), *DEEPER], ids=" ".join)
def test_the_use_of_a_command_names_every_option_that_it_has(argv, capsys):
    folder = ["."] if argv == ["import"] else []
    assert command([*argv, *folder, "--zzz"]) == 2
    there = capsys.readouterr().err.partition("there is ")[2].partition(";")[0]
    assert command([*argv, "--help"]) == 0
    used = capsys.readouterr().out
    assert [option for option in filter(None, there.split(", ")) if option not in used] == []


def test_a_class_nobody_knows_is_not_asked_for(config, capsys):
    assert command(["reprobe", "memroy", "--config", config]) == 2
    assert "did you mean 'memory'?" in capsys.readouterr().err


def test_a_configuration_that_is_not_there_is_one_fault(tmp_path, capsys):
    assert command(["status", "--config", str(tmp_path / "none")]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert "none: No such file or directory; --config names" in lines[0]


def test_a_log_level_nobody_knows_is_refused(config, capsys):
    assert command(["run", "--config", config, "--log-level", "loud"]) == 2
    assert "one of debug, info, warning" in capsys.readouterr().err


def test_a_command_that_is_not_installed_says_so(monkeypatch, capsys):
    monkeypatch.setitem(COMMANDS, "sim", ("roost_agent.absent.command", "run"))
    assert command(["sim"]) == 1
    assert "not part of this installation" in capsys.readouterr().err
