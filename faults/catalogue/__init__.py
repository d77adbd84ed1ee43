"""The scenarios. To import this fills CATALOGUE, in the order in which they are played."""

from importlib import import_module

CHAPTERS = (
    "processes",
    "home",
    "stores",
    "disks",
    "failover",
    "followers",
    "kafka",
    "valkeys",
    "restarts",
    "reloads",
    "hosts",
    "network",
    "storms",
    "returning",
    "signins",
    "back",
    "concurrency",
    "seats",
    "meanwhile",
    "overload",
    "connections",
    "greedy",
    "answers",
    "soak",
    "pages",
    "fuzzing",
    "beside",
    "proofs",
    "invariants",
)

for chapter in CHAPTERS:
    import_module(f"{__name__}.{chapter}")
