"""The verbs of a noun, as its help lists them."""

import click

SENTENCE_CHARS_MAX = 300  # what a first sentence may have; past it a docstring is wrong


class Verbs(click.Group):
    """A group whose help has each verb's whole sentence; click cuts what one line does not hold."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of verbs, wrapped to the terminal."""
        verbs = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        shown = [
            (name, verb.get_short_help_str(limit=SENTENCE_CHARS_MAX))
            for name, verb in verbs
            if verb is not None and not verb.hidden
        ]
        if shown:
            with formatter.section("Commands"):
                formatter.write_dl(shown)
