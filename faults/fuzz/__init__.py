"""Input that nobody would send on purpose, at every door, for as long as there is time.

Each module has a `run(seconds, seed, …)` that answers a JSON-ready dictionary: `executions`, and
`findings` by kind, where everything must be zero; and is a program of its own:

    python -m faults.fuzz.codecs --seconds 60 --seed 7
"""
