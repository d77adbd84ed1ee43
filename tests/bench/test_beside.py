"""This checkout beside a commit of its own: what counts as slower."""

from bench import beside

KINDS = [*beside.TALK_KINDS, beside.MEMORY]


def turns(*ratios):
    """With 100 for the other commit in each turn."""
    names = [what for _, what, *_ in KINDS]
    return [
        {"this": dict.fromkeys(names, 100 * one), "other": dict.fromkeys(names, 100)}
        for one in ratios
    ]


def met(*ratios):
    return {one.what: one.met for one in beside.compared(turns(*ratios), "other", KINDS)}


def test_within_the_noise_nothing_is_slower():
    assert all(met(0.98, 1.0, 1.02).values())


def test_less_through_the_wire_is_told_and_less_latency_is_not():
    found = met(0.8, 0.9, 1.0)
    assert [what for what, is_met in found.items() if not is_met] == [
        "hot room: deliveries",
        "small rooms: messages",
    ]


def test_more_latency_and_memory_are_told():
    found = met(1.0, 1.1, 1.2)
    assert [what for what, is_met in found.items() if not is_met] == [
        "quiet room: p50",
        "quiet room: p99",
        "memory per connection, 2,000 idle",
    ]
