from roost_agent.update.holds import Holds
from roost_agent.update.journal import Journal
from roost_agent.update.keeper import Keeper
from roost_agent.update.kept import HOLD_MS_MAX, Hold

NOW_MS = 1_800_000_000_000
YEARS_MS = 11 * 365 * 86_400_000


class Clock:
    ms = NOW_MS

    def wall_ms(self):
        return self.ms


async def test_a_persons_hold_ends_in_time_though_a_clock_was_set_back_by_years(tmp_path):
    clock, keeper = Clock(), Keeper(Journal(tmp_path / "updates"))
    await keeper.open()
    holds = Holds(keeper, str(tmp_path / "inhibit.d"), clock)
    clock.ms += YEARS_MS
    holds.set(clock.ms + 1_000, "stocktaking")
    await holds.written()
    clock.ms = NOW_MS
    await holds.looked()
    assert holds.now == Hold(NOW_MS + HOLD_MS_MAX, "stocktaking")
    after = Keeper(Journal(tmp_path / "updates"))
    await after.open()
    assert after.hold == holds.now
    clock.ms += HOLD_MS_MAX
    await holds.looked()
    assert holds.now is None
