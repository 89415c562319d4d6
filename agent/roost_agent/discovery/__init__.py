"""Discovery: one probe per hardware class, each a function from a Reader to a Section.

Runs in a child process that exits (``roost-agent probe``), so a probe may import what it likes.
"""
