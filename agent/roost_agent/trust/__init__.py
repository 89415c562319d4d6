"""What may be installed here: two chains of signatures that must agree.

Everything in here runs in children that exit (``roost-agent verify``): python-tuf and cryptography
take 36 MiB. As root it judges what the agent has fetched, by what root alone keeps.
"""
