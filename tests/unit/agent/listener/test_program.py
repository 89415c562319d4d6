"""Which ports are listened to, and the file that a window leaves."""

import json
import stat

from roost_agent.listener.program import FILE, hear, known, listen, physical


def test_only_ports_with_a_device_are_listened_to(tmp_path):
    for name in ("eth1", "eth0"):
        (tmp_path / f"sys/class/net/{name}/device").mkdir(parents=True)
    (tmp_path / "sys/class/net/veth7").mkdir()
    assert list(physical(str(tmp_path))) == ["eth0", "eth1"]
    assert list(physical(str(tmp_path / "none"))) == []


def test_a_port_that_cannot_be_opened_is_named_and_the_file_is_there(tmp_path, capsys):
    hear(["none0"], {}, until_ms=0)
    assert "roost-facts: none0: " in capsys.readouterr().err
    assert listen(folder=str(tmp_path), root=str(tmp_path), listen_ms=0) == 0
    assert json.loads((tmp_path / FILE).read_text())["frames"] == []
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) & 0o037 == 0
    blocked = tmp_path / "file"
    blocked.touch()
    assert listen(folder=str(blocked), root=str(tmp_path), listen_ms=0) == 1


def test_the_first_window_knows_nothing(tmp_path):
    assert known(str(tmp_path)) == {}
