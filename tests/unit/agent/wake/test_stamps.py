"""Cheap stamps."""

from roost_agent.wake import stamps


def test_nothing_moves_where_nothing_is(tmp_path):
    assert stamps.moved(stamps.read(tmp_path), stamps.read(tmp_path)) == ()


def test_a_written_file_moves_its_class(tmp_path):
    before = stamps.read(tmp_path)
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/os-release").write_text("ID=x")
    assert stamps.moved(before, stamps.read(tmp_path)) == ("os",)


def test_a_link_that_goes_down_moves_the_network(tmp_path):
    link = tmp_path / "sys/class/net/eth0"
    link.mkdir(parents=True)
    (link / "operstate").write_text("up\n")
    before = stamps.read(tmp_path)
    (link / "operstate").write_text("down\n")
    assert stamps.moved(before, stamps.read(tmp_path)) == ("link", "nic")
