"""Queries and objects for Hypothesis: whatever may be asked, of whatever may be answered."""

from datetime import datetime

from hypothesis import strategies as st

from roost_central.fleet.fields import PATH_STATES, PRESENCES, SEVERITIES, STATUSES

NOW_MS = 1_800_000_000_000

LETTERS = 'abzABZ019*?.-_:=<>!,(){}"\\~ \t\näÄß😀'
TOKENS = [
    *LETTERS,
    "AND",
    "OR",
    "null",
    "site",
    "lat",
    "age>",
    "at>=",
    "inv.nic",
    "count(",
    "path.p1=",
    "release<",
]

words = st.text("abABz0*?-ä😀", min_size=1, max_size=6)
versions = st.text("0129.~-+rcvalphbet", max_size=8) | st.sampled_from(
    ["4.3.0", "4.10", "4.3.0-rc1"]
)
numbers = st.from_regex(r"\A-?[0-9]{1,4}(\.[0-9]{1,3})?\Z")
durations = st.from_regex(r"\A[0-9]{1,3}(ms|s|m|h|d)\Z")
times = durations.map("-{}".format) | st.datetimes(
    min_value=datetime(1970, 1, 2),  # noqa: DTZ001 - its zone is written behind it
).map(
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000).isoformat() + "Z"
)
sizes = st.from_regex(r"\A[0-9]{1,4}([KMG]iB|[kMG]B|B)?\Z")


def quoted(text):
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def comparison(names, values, ops):
    """FIELD OP VALUE, or a list of values where one is allowed."""
    one = st.tuples(names, st.sampled_from(ops), values).map("".join)
    listed = st.tuples(
        names,
        st.sampled_from(["=", "!=", ":"]),
        st.lists(values, min_size=1, max_size=3).map(",".join),
    ).map("".join)
    null = st.tuples(names, st.sampled_from(["=null", "!=null", "=null,"])).flatmap(
        lambda pair: (
            values.map("".join(pair).__add__) if pair[1][-1] == "," else st.just("".join(pair))
        )
    )
    return one | listed | null


EXACT = [":", "=", "!=", ":="]
ORDERED = [*EXACT, "<", "<=", ">", ">=", ":>="]
texts = words | st.text(LETTERS, max_size=6).map(quoted)
terms = st.one_of(
    texts,
    comparison(
        st.sampled_from(["site", "node", "name", "region", "label.tier", "label.*"]), texts, EXACT
    ),
    comparison(st.just("status"), st.sampled_from([*STATUSES, "d*", "?k"]), ORDERED),
    comparison(st.just("sev"), st.sampled_from(SEVERITIES), ORDERED),
    comparison(st.just("presence"), st.sampled_from([*PRESENCES, "ON*"]), EXACT),
    comparison(
        st.sampled_from(["path.p1", "path.p2", "path.*"]), st.sampled_from(PATH_STATES), EXACT
    ),
    comparison(st.sampled_from(["lat", "nodes"]), numbers, ORDERED),
    comparison(st.sampled_from(["age", "boot-age"]), durations, ORDERED),
    comparison(st.sampled_from(["at", "since"]), times, ORDERED),
    comparison(st.just("release"), versions.map(quoted), ORDERED),
    comparison(st.just("mem"), sizes, ORDERED),
    comparison(st.just("muted"), st.sampled_from(["true", "false"]), EXACT),
    st.sampled_from(["lat:*", "mem:*", "muted:*", "at:*"]),
)
item_terms = st.one_of(
    comparison(st.sampled_from(["ifname", "driver", "id", "fec", "driver.reason"]), texts, EXACT),
    comparison(st.just("firmware"), versions.map(quoted), ORDERED),
    comparison(st.sampled_from(["speed_mbps", "mtu"]), numbers, ORDERED),
    comparison(st.just("autoneg"), st.sampled_from(["true", "false"]), EXACT),
    st.sampled_from(["id:*", "mtu:*", "firmware:*", "speed_mbps.reason=denied"]),
)
conditions = st.one_of(
    item_terms,
    st.lists(item_terms, min_size=1, max_size=3).map(" ".join),
    st.lists(item_terms, min_size=2, max_size=3).map(" OR ".join).map("({})".format),
    item_terms.map("!{}".format),
    st.lists(item_terms, min_size=2, max_size=2).map(" ".join).map("!({})".format),
)
inventory_terms = st.one_of(
    item_terms.map("inv.nic.{}".format),
    conditions.map("inv.nic{{{}}}".format),
    st.tuples(
        conditions, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), st.integers(0, 3)
    ).map(lambda parts: f"count(inv.nic{{{parts[0]}}}){parts[1]}{parts[2]}"),
    comparison(
        st.sampled_from(["inv.nic.reason", "inv.dimm.reason"]),
        st.sampled_from(["denied", "absent", "d*"]),
        EXACT,
    ),
)
terms = terms | inventory_terms
queries = st.recursive(
    terms,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(" ".join),
        st.lists(inner, min_size=2, max_size=3).map(" AND ".join),
        st.lists(inner, min_size=2, max_size=3).map(" OR ".join),
        inner.map("({})".format),
        inner.map("!({})".format),
    ),
    max_leaves=6,
)
scraps = st.lists(st.sampled_from(TOKENS), max_size=14).map("".join)
damaged = st.tuples(queries, st.integers(0, 60), scraps).map(
    lambda parts: parts[0][: parts[1]] + parts[2] + parts[0][parts[1] :]
)
any_query = queries | damaged | scraps

moments = st.integers(NOW_MS - 10**9, NOW_MS + 10**6)
scalars = st.none() | st.booleans() | st.integers(-99, 99) | words
items = st.fixed_dictionaries(
    {"id": words},
    optional={
        "ifname": scalars,
        "driver": words | st.none(),
        "driver.reason": st.sampled_from(["denied", "absent"]),
        "firmware": versions | scalars,
        "speed_mbps": st.integers(-99, 9999) | scalars,
        "speed_mbps.reason": st.just("denied"),
        "mtu": st.integers(0, 99) | st.none(),
        "autoneg": scalars,
    },
)
rows = st.fixed_dictionaries(
    {},
    optional={
        "inv": st.fixed_dictionaries(
            {}, optional={"nic": st.lists(items, max_size=3, unique_by=lambda item: item["id"])}
        ),
        "inv.reason": st.dictionaries(
            st.sampled_from(["nic", "dimm"]), st.sampled_from(["denied", "absent"])
        ),
        "site": words | scalars,
        "node": st.lists(words | st.none(), max_size=3),
        "name": st.text(LETTERS, max_size=8) | st.none(),
        "label": st.dictionaries(
            st.sampled_from(["tier", "region", "x"]),
            words | st.lists(words, max_size=2),
            max_size=3,
        ),
        "status": st.sampled_from([*STATUSES, "melted", None]),
        "sev": st.sampled_from(SEVERITIES) | scalars,
        "presence": st.lists(st.sampled_from(PRESENCES), max_size=2),
        "path": st.dictionaries(st.sampled_from(["p1", "p2"]), st.sampled_from(PATH_STATES)),
        "lat": st.integers(-90, 90) | st.floats(-90, 90) | scalars,
        "nodes": st.integers(0, 20),
        "age": moments | scalars,
        "boot-age": moments,
        "at": moments | scalars,
        "since": moments,
        "release": versions | st.lists(versions, max_size=2),
        "mem": st.integers(0, 2**40),
        "muted": scalars,
    },
)
