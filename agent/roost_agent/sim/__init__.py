"""The fleet simulator: thousands of nodes' cores in one process over real MQTT.

Left out of the edge wheel; ``roost sim`` is ``roost-agent sim``.
"""
