"""Software updates on a node: its step machine, its journal, what it fetches and what installs it.

The centre selects what is installed and when it may; it creates nothing and lifts no rule of the
node or of its site (docs/updates.md).
"""
