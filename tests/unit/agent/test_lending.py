"""A lender serves so many readers at a time, whoever they are, and has room again after each."""

import http.client
import sys
import threading
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from waiting import wait_until

from roost_agent.lending import READERS_MAX, Lending, LendingServer


def test_one_reader_more_than_there_are_places_is_refused_and_a_place_is_given_back():
    entered, may_end = threading.Semaphore(0), threading.Event()

    class Slow(Lending):
        def do_GET(self):  # noqa: N802 - http.server's name
            with self.place() as is_served:
                if is_served:
                    entered.release()
                    may_end.wait(30)
                    self.refuse(204)

    def get(server):
        asked = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=30)
        asked.request("GET", "/")
        return asked

    with LendingServer(("127.0.0.1", 0), Slow) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        served = [get(server) for _ in range(READERS_MAX)]
        assert all(entered.acquire(timeout=30) for _ in served)
        refused = get(server)
        assert refused.getresponse().status == 503
        may_end.set()
        assert {each.getresponse().status for each in served} == {204}

        def is_served():
            with closing(get(server)) as asked:
                return asked.getresponse().status == 204

        wait_until(is_served, "a place is free again")
        for each in (*served, refused):
            each.close()
        server.shutdown()
