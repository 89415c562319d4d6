"""``roost demo``: centre, brokers, a real site and a simulated fleet as processes of one machine.

Everything listens on loopback. No child outlives the demo, however the demo ends.
"""
