import json

import pytest

from roost_agent.sim.command import run


def test_a_sites_file_alone_needs_no_broker(tmp_path):
    file = tmp_path / "sites.ndjson"
    assert run(["--sites", "4", "--nodes", "2", "--sites-file", str(file)]) == 0
    sites = [json.loads(line) for line in file.read_text().splitlines()]
    assert [site["site"] for site in sites] == [f"edge-000{n}" for n in (1, 2, 3, 4)]


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        ([], "--broker"),
        (["--broker", "mqtt://127.0.0.1", "--sites", "0"], "from 1 to 20000"),
        (["--broker", "mqtt://127.0.0.1", "--interval", "x"], "from 0.2 to 600"),
        (["--broker", "mqtt://127.0.0.1", "--fault", "cut at=3"], "such as 30s"),
        (["--broker", "mqtt://127.0.0.1"] * 17, "at most 16 paths"),
    ],
)
def test_a_wrong_option_is_answered_with_what_may_stand_there(argv, text, capsys):
    with pytest.raises(SystemExit) as ended:
        run(argv)
    assert ended.value.code == 2
    assert text in capsys.readouterr().err


@pytest.mark.parametrize("url", ["http://127.0.0.1", "mqtt://", "mqtt://h:99999", "127.0.0.1"])
def test_a_broker_that_is_none_is_refused(url, capsys):
    assert run(["--broker", url]) == 1
    assert "broker" in capsys.readouterr().err
