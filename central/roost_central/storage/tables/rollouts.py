"""Changes that go over sites in waves."""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, LargeBinary, String

from roost_central.storage.tables.column import table

rollout = table(
    "rollout",
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False, server_default="release"),
    Column("state", String, nullable=False, index=True),
    Column("component", String, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("rev", BigInteger, nullable=False),
    Column("plan", LargeBinary, nullable=False),  # the TOML file, as it is approved
    Column("head", LargeBinary, nullable=False),  # a MessagePack Head
)

rollout_job = table(
    "rollout_job",
    Column("rollout", ForeignKey("rollout.id", ondelete="CASCADE"), primary_key=True),
    Column("site", String, primary_key=True, index=True),
    Column("wave", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("body", LargeBinary, nullable=False),  # a MessagePack Job
    Column("offer", LargeBinary, nullable=False),  # the last one, as its order names it
)

rollout_change = table(  # what a rollout of profiles makes count
    "rollout_change",
    Column("rollout", ForeignKey("rollout.id", ondelete="CASCADE"), primary_key=True),
    Column("body", LargeBinary, nullable=False),  # a MessagePack ProfileTexts
)

rollout_node = table(  # what a node had before a rollout of profiles that may hold it back
    "rollout_node",
    Column("rollout", ForeignKey("rollout.id", ondelete="CASCADE"), primary_key=True),
    Column("node", String, primary_key=True),
    Column("former_generation", BigInteger, nullable=False),
    Column("former_digest", LargeBinary, nullable=False),  # of its settings
)

rollout_approval = table(
    "rollout_approval",
    Column("rollout", ForeignKey("rollout.id", ondelete="CASCADE"), primary_key=True),
    Column("operator", String, primary_key=True),
    Column("digest", String, primary_key=True),  # of the release that may go out
    Column("at_ms", BigInteger, nullable=False),
    Column("by", String, nullable=False),  # whose token brought it
    Column("approval", LargeBinary, nullable=False),  # as it was signed
    Column("signature", LargeBinary, nullable=False),
)
