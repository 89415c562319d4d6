"""``roost-listen``: hears, as root and for half a minute, which neighbours this box has (LLDP).

It keeps frames as they came; ``roost_agent.discovery.lldp`` makes sense of them without any right.
"""
