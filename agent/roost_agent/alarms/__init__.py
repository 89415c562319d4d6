"""Alarms of the node: what is sampled, when it counts, what stands, and who may ask for one."""
