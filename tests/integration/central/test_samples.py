"""A real agent, asked by a real centre over a real broker for what it measured."""

import math
import sys
import time

import pytest
from program import Program

from roost_agent.host.samples.minutes import Row
from roost_agent.host.samples.ring import FOLDER, Ring
from roost_central.ports import SystemClock
from roost_central.samples.desk import SampleDesk, Wish
from roost_protocol.samples import unpacked

pytestmark = pytest.mark.broker


async def test_a_node_answers_what_is_asked_from_its_last_day(run_centre, broker, tmp_path):
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
    agent = Program(tmp_path / "agent.log")
    async with run_centre() as centre:
        desk = SampleDesk(SystemClock())
        desk.send = centre.service.ask_samples
        centre.service.on_samples(desk.took)
        agent._launch(sys.executable, "-m", "roost_agent", "run", "--config", config)
        try:
            await centre.until(lambda: "lab.n1" in centre.view.nodes)
            await centre.until(lambda: centre.view.nodes["lab.n1"].heard_ms is not None)
            wish = Wish((now - 60) * 60_000, now * 60_000, 600, ("cpu",))
            found = await desk.fetch("lab.n1", wish)
        finally:
            agent.kill()
    assert found.why == ""
    (series,) = found.told.samples.series
    assert series.name == "cpu"
    means = [value for value in unpacked(series.mean) if not math.isnan(value)]
    assert means == sorted(means, reverse=True)
    assert max(unpacked(series.high)) == 99.0
