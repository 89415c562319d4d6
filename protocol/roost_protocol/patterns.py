r"""Patterns of text that several messages share, for whole strings.

``$`` alone also matches before a line's end that is the last character, and JSON Schema has no
``\Z``: END is what both read as the end (a test of the repository looks for patterns without it).
"""

from typing import Final

END: Final = r"$(?!\n)"
NO_CONTROLS: Final = r"^[^\x00-\x1f\x7f]*" + END
ONE_LINE: Final = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*" + END
