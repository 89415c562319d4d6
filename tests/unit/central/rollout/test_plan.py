"""What a plan's file may say, in its own words and StarlingX's."""

from roost_central.rollout.plan_file import read_plan
from roost_central.rollout.rules import settled

HEAD = 'name = "x"\ncomponent = "app/pump"\nversion = "1.1.0"\n'


def plan(text=""):
    return read_plan((HEAD + text).encode())


def test_starlingx_words_are_understood():
    read = plan(
        'storage = "parallel"\nworkers = "ignore"\nmax_parallel_workers = 10\n'
        'max_parallel_storage = 3\ninstances = "stop-start"\n[wave_defaults]\n'
        'gates = {alarms = "strict"}\n'
    )
    assert (read.storage, read.workers, read.instances) == ("parallel", "ignore", "stop-start")
    assert (read.max_parallel_workers, read.max_parallel_storage) == (10, 3)
    assert settled(read, 1).gates.alarms == "strict"


def test_the_window_of_a_site_is_in_its_own_zone():
    window = plan(
        '[wave_defaults]\nwindow = {days = ["sun", "mon"], start = "01:00", minutes = 60}\n'
    ).wave_defaults.window
    assert window.of("Europe/Berlin").tz == "Europe/Berlin"
    assert window.of("UTC").days == (0, 6)
