import pytest

from roost_agent.ha.services.reboot import FILE, HOUR_MS, Reboot


class Clock:
    def __init__(self):
        self.ms = 10 * 24 * HOUR_MS

    def wall_ms(self):
        return self.ms


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def node(tmp_path, clock):
    return Reboot(tmp_path, clock, tmp_path / "trigger")


async def test_a_reboot_is_counted_and_then_done(node, tmp_path):
    assert await node.now("db failed") == ""
    assert (tmp_path / "trigger").read_text() == "b"
    assert (tmp_path / FILE).exists()


async def test_three_in_an_hour_are_enough(node, tmp_path, clock):
    for _ in range(3):
        assert await node.now("x") == ""
    (tmp_path / "trigger").unlink()
    assert await node.now("db failed") == "no reboot for db failed: 3 within 1 h already"
    assert not (tmp_path / "trigger").exists()
    clock.ms += HOUR_MS
    assert await node.now("x") == ""


async def test_six_in_a_day_are_enough(node, clock):
    for _ in range(6):
        assert await node.now("x") == ""
        clock.ms += HOUR_MS
    assert await node.now("x") == "no reboot for x: 6 within 24 h already"
    clock.ms += 18 * HOUR_MS
    assert await node.now("x") == ""


async def test_a_clock_that_was_set_back_forgets_nothing(node, clock):
    for _ in range(3):
        assert await node.now("x") == ""
    clock.ms -= 9 * 24 * HOUR_MS
    assert "already" in await node.now("x")


@pytest.mark.parametrize("text", ["", "7", "[[]]", '["x"]'])
async def test_a_count_that_cannot_be_read_is_a_full_one(node, tmp_path, text):
    (tmp_path / FILE).write_text(text)
    assert "already" in await node.now("x")


async def test_what_cannot_be_counted_is_not_done(tmp_path, clock):
    node = Reboot(tmp_path / "gone", clock, tmp_path / "trigger")
    assert "No such file" in await node.now("x")
    assert not (tmp_path / "trigger").exists()


async def test_a_trigger_that_is_not_ours_is_told(tmp_path, clock):
    assert "No such file" in await Reboot(tmp_path, clock, tmp_path / "no/where").now("x")
