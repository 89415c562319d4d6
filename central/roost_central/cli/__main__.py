"""``python -m roost_central.cli`` is ``roost``."""

from roost_central.cli.main import main

main()
