"""The typed error of the query language and every bound that a query has to keep.

Leaves the sentence around the error (an HTTP problem, a red underline) to whoever shows it.
Invariant: ``offset`` and ``length`` count code points of the text as it was given, in Python and in
JavaScript alike.
"""

from typing import Final

QUERY_BYTES_MAX: Final = 2048  # UTF-8; percent-encoded it still fits a request line of 8 KiB
TERMS_MAX: Final = 32  # each is a test per object: 50,000 objects stay within one request
DEPTH_MAX: Final = 8  # parentheses and braces; bounds the recursion of parser and matcher
VALUES_MAX: Final = 32  # in one comma list
STARS_MAX: Final = 8  # in one glob


class QueryError(ValueError):
    """A query that cannot be answered, with the place that is to blame.

    Attributes:
        code: Stable name of the kind of error, such as ``unknown-field``.
        message: One sentence for a person.
        offset: First code point that is to blame.
        length: Number of code points to blame; 0 at the end of the text.
        suggestion: What may have been meant, or the empty string.
    """

    def __init__(
        self, code: str, message: str, *, span: tuple[int, int], suggestion: str = ""
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.offset, self.length = span
        self.suggestion = suggestion
