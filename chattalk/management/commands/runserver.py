"""Daphne serves, for those who change the code; people are served by `up`.

"daphne" is no app of the settings: each process of ours would load Twisted for it, which takes a
quarter of the start and 14 MiB, and serve nothing by it.
"""

from daphne.management.commands.runserver import Command  # type: ignore[import-untyped]

__all__ = ["Command"]
