"""The wire between roost's agents and its centre: topics, messages, limits, digests.

Pure: imports the standard library and msgspec only, keeps no clock and does no I/O.
"""

__version__ = "0.1.0"
