"""What a node has becomes a file that is reviewed: only what it told whole."""

from roost_central.profiles.adopt import Found, draft, name_of
from roost_central.profiles.layer import Layer
from roost_central.profiles.source import read_profile

NODE = "lab.n1"
SWAPPINESS = Found('kernel.sysctl."vm.swappiness"', "60")
SERVERS = Found("time.servers", '["a.example", "b\\"c"]')


def test_the_file_is_a_profile_of_the_node_with_the_values_that_it_has():
    made = draft(NODE, [SWAPPINESS, Found("time.servers", '["a.example"]')], [])
    profile = read_profile(made.source, "f.toml")
    assert (profile.name, profile.layer, profile.target) == ("adopted-lab-n1", Layer.NODE, NODE)
    assert profile.sections == {
        "kernel": {"sysctl": {"vm.swappiness": 60}},
        "time": {"servers": ["a.example"]},
    }
    assert (made.taken, made.left) == (['kernel.sysctl."vm.swappiness"', "time.servers"], {})


def test_what_was_adopted_before_stays_and_gives_way_to_what_is_there_now():
    before = read_profile(draft(NODE, [SWAPPINESS], []).source, "f.toml")
    made = draft(NODE, [Found("log.level", '"debug"')], [before])
    assert "vm.swappiness" in made.source
    again = draft(NODE, [Found(SWAPPINESS.setting, "70")], [before])
    assert "= 70" in again.source
    assert "= 60" not in again.source


def test_what_is_cut_or_not_there_is_left_with_why():
    made = draft(NODE, [Found("time.servers", '["a.exam'), Found("time.timezone", "")], [])
    assert made.taken == []
    assert "beginning" in made.left["time.servers"]
    assert "not there" in made.left["time.timezone"]


def test_a_hostile_value_stays_a_value():
    made = draft(NODE, [SERVERS, Found("dns.search", '["x\\n[profile]\\nfleet = true"]')], [])
    assert made.source.count("\n[profile]") == 0
    assert made.source.startswith("[profile]\n")


def test_a_name_that_is_too_long_is_shortened_to_one_of_its_own():
    long = f"{'s' * 29}.{'n' * 28}"
    assert len(name_of(long)) <= 63
    assert name_of(long) != name_of(long.replace("n", "m"))


def test_what_another_profile_of_the_node_says_is_changed_there():
    head = f'[profile]\nname = "mine"\nnode = "{NODE}"\n'
    own = read_profile(f'{head}[kernel.sysctl]\n"vm.swappiness" = 1\n', "m.toml")
    made = draft(NODE, [SWAPPINESS], [own])
    assert made.left == {SWAPPINESS.setting: "mine says it for this node: change it there"}
