"""``roost-central catalogue``: customers check their files and make what agents read of them."""

from roost_central.__main__ import main
from roost_protocol.catalogue import decode_catalogue

GOOD = """\
"750.901":
  name: pump.dry
  source: app
  severities: {minor: "low"}
  default: minor
  repair: "Fill it."
  x733: {event_type: equipment, cause: pump-failure}
"""


def test_a_good_file_is_listed_and_made_into_what_agents_read(tmp_path, capsys):
    file = tmp_path / "pumps.yaml"
    file.write_text(GOOD)
    assert main(["catalogue", str(file)]) == 0
    assert capsys.readouterr().out == "750.901  pump.dry\n"
    assert main(["catalogue", "--json", str(file)]) == 0
    assert list(decode_catalogue(capsys.readouterr().out.encode())) == ["750.901"]


def test_ours_are_listed_where_no_file_is_named(capsys):
    assert main(["catalogue"]) == 0
    assert "280.001  site.offline\n" in capsys.readouterr().out


def test_a_bad_file_is_refused_with_file_line_and_reason(tmp_path, capsys):
    file = tmp_path / "pumps.yaml"
    file.write_text(GOOD.replace('"750.901"', "750.910"))
    assert main(["catalogue", str(file)]) == 2
    assert f"{file}:1: 750.910: the id is read as a number" in capsys.readouterr().err


def test_a_bad_file_keeps_a_configuration_from_being_ok(tmp_path, capsys):
    (tmp_path / "pumps.yaml").write_text("[]")
    config = tmp_path / "central.toml"
    config.write_text(f'catalogues = ["{tmp_path / "pumps.yaml"}"]')
    assert main(["check-config", "--config", str(config)]) == 2
    assert "a catalogue is a mapping" in capsys.readouterr().err
    config.write_text("catalogues = [7]")
    assert main(["check-config", "--config", str(config)]) == 2
    assert "catalogues: 7 is not a path" in capsys.readouterr().err
