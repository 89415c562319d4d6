"""A real agent and the whole centre: asked over REST and by the CLI for what the node measured."""

import json
import os
import subprocess
import sys
import time

import pytest
from central_process import CentralProcess
from program import Program
from waiting import wait_until

from roost_agent.host.samples.minutes import Row
from roost_agent.host.samples.ring import FOLDER, Ring

pytestmark = pytest.mark.broker


def test_a_node_answers_what_is_asked_over_rest_and_by_the_command_line(broker, tmp_path):
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    ring, now = Ring(state / FOLDER), int(time.time()) // 60
    for back in range(60, 0, -1):
        ring.append(Row(now - back, {"cpu": (1.0, float(back), 99.0), "load": (1.0, 1.0, 1.0)}))
    config = tmp_path / "agent.toml"
    config.write_text(
        f'site = "lab"\nnode = "n1"\nstate_dir = "{state}"\n[beat]\ninterval_s = 2\n'
        f'[[path]]\nname = "wan1"\nkind = "wan"\nbroker = "mqtt://127.0.0.1:{broker.port}"\n'
    )
    centre = CentralProcess(tmp_path, f"mqtt://127.0.0.1:{broker.port}")
    agent = Program(tmp_path / "agent.log")
    centre.start()
    try:
        centre.ready()
        agent._launch(sys.executable, "-m", "roost_agent", "run", "--config", config)
        heard = "/api/v1/nodes/lab.n1/samples?since=1h&step_s=600&series=cpu"
        found = wait_until(lambda: _answer(centre, heard), "the node's own answer")
        (series,) = found["series"]
        means = [value for value in series["mean"] if value is not None]
        assert (series["series"], series["unit"], max(series["high"][:6])) == ("cpu", "%", 99.0)
        assert means[:5] == sorted(means[:5], reverse=True)
        assert len(means) >= 6
        asked = ("host", "samples", "lab.n1", "load", "--since", "1h", "-o", "ndjson")
        done = subprocess.run(
            [sys.executable, "-m", "roost_central.cli", *asked],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
            env=os.environ | {"ROOST_URL": centre.url, "ROOST_TOKEN": centre.token},
        )
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        assert {row["series"] for row in rows} == {"load"}
    finally:
        agent.kill()
        centre.kill()


def _answer(centre, path):
    try:
        found = centre.get(path)
    except OSError:
        return None  # nobody has heard of the node yet
    return found if found["origin"] == "node" else None
