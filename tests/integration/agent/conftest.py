"""The real agent as a process, and what it speaks to."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))
sys.path.insert(0, str(Path(__file__).parent))

import pytest
from agent_process import AgentProcess
from broker import mosquitto
from fake_central import FakeCentral

__all__ = ["mosquitto"]


@pytest.fixture
def agent(tmp_path, mosquitto):
    """An agent with one WAN path, configured and not started."""
    process = AgentProcess(tmp_path, {"wan1": mosquitto.url})
    yield process
    process.kill()


@pytest.fixture
async def central(mosquitto):
    """A central that receipts what the mark rule allows."""
    async with FakeCentral(mosquitto) as central:
        yield central
