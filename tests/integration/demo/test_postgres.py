"""The whole loop with the centre's state in PostgreSQL."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from postgres import postgres

__all__ = ["postgres"]

pytestmark = [pytest.mark.broker, pytest.mark.postgres, pytest.mark.timeout(180)]


def test_the_demo_runs_on_postgresql(demo, postgres):
    running = demo("--sites", "5", "--database", postgres.make_database("demo"))
    lab = running.wait(lambda: running.node("n1")["inventory"]["gen"] and running.node("n1"))
    assert lab["presence"] in {"online", "degraded"}
    status = running.get("/status")
    assert (status["sites"]["total"], status["nodes"]["total"]) == (6, 18)
    assert int(postgres.sql("SELECT count(*) FROM node", database="demo")) == 18
    assert not (running.folder / "central" / "roost.db").exists()
