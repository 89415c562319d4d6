"""Alarms at the centre: what they are, which are open, what operators did, what they share."""
