"""The operator's command: ``roost NOUN VERB``. It speaks REST and nothing else.

One file per noun. Nothing heavy is imported until a verb runs, so that ``--help`` and completion
answer at once.
"""
