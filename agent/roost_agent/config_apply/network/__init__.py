"""The section ``network``: what interfaces and routes are, what they should be, and the way there.

Pure but for ``kernel`` (rtnetlink, through pyroute2, in the root one-shot alone), ``peers`` (proc)
and ``journal`` (the disk).
"""
