"""The fuzzers find what they look for; a short round of the quickest one."""

import json

from faults.fuzz import codecs
from interfaces.original import sockjs
from messaging.live import frames


def test_a_short_round_of_the_decoders_finds_nothing():
    found = codecs.run(seconds=20, seed=1, executions=3_000)
    assert found["executions"] == 3_000
    assert found["findings"] == {"unhandled": 0, "broken_word": 0}, found["shown"]


def test_a_decoder_that_lets_something_else_out_is_found(monkeypatch):
    """As json does: neither ValueError nor RecursionError is the refusal that was promised."""
    monkeypatch.setattr(frames, "decode", json.loads)
    assert codecs.run(seconds=20, seed=1, executions=3_000)["findings"]["unhandled"]


def test_a_decoder_that_breaks_its_word_is_found(monkeypatch):
    """It refuses as promised, but gives no reason."""

    def decode(text, whole=frames.decode):
        try:
            return whole(text)
        except frames.BadFrame:
            raise frames.BadFrame("") from None

    monkeypatch.setattr(frames, "decode", decode)
    found = codecs.run(seconds=20, seed=1, executions=3_000)["findings"]
    assert found["broken_word"] and not found["unhandled"]


def test_a_decoder_that_gives_back_half_a_character_is_found(monkeypatch):
    monkeypatch.setattr(
        sockjs.Reader, "_joined", lambda self, text: text.encode("utf-8", "surrogatepass")
    )
    assert codecs.run(seconds=20, seed=1, executions=3_000)["findings"]["unhandled"]


def test_the_same_seed_tries_the_same(monkeypatch):
    def tried(seed):
        seen = []
        monkeypatch.setattr(codecs, "tried", lambda name, _mutator, data: seen.append((name, data)))
        codecs.run(seconds=20, seed=seed, executions=1_500)
        return seen

    assert tried(4) == tried(4) != tried(5)
