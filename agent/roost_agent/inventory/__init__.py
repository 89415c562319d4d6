"""Inventory on its way out: what changed since it was last told, in parts that fit the wire."""
