"""When presence is due to be written. That it is written is test_service.py's matter."""

from roost_central.fleet.view import Changes, FleetView
from roost_central.ingest.flush import HEARD_MS, Flush


class Clock:
    now_ms = 1_000

    def mono_ms(self):
        return self.now_ms


def flush(clock):
    return Flush(
        database=None,
        view=FleetView(),
        roster=None,
        notices=None,
        counters=None,
        clock=clock,
        book=None,
        history=None,
    )


def test_what_changed_is_due_at_once_and_that_a_node_was_heard_once_a_minute():
    clock = Clock()
    writer = flush(clock)
    changes = Changes()
    changes.nodes["a.n1"] = None
    changes.heard |= {"a.n1": None, "a.n2": None}
    writer._gather(changes)
    assert list(writer._due) == ["a.n1"]
    clock.now_ms += HEARD_MS - 1
    writer._gather(changes)
    assert list(writer._due) == ["a.n1"]
    clock.now_ms += 1
    writer._gather(changes)
    assert list(writer._due) == ["a.n1", "a.n2"]
    assert HEARD_MS >= 30_000, "less than a usual beat interval writes at every beat"
