"""The page that says how large has the numbers that were measured."""

from bench import sizing


def test_the_page_has_what_the_results_give():
    assert sizing.PAGE.read_text() == sizing.page(), "python -m bench.sizing writes it anew"


def test_ten_times_the_people_are_ten_times_the_messages_and_need_more_workers():
    few, many = sizing._for(100_000), sizing._for(1_000_000)
    assert (few["messages a second"], many["messages a second"]) == ("333", "3,333")
    assert (few["workers, a core each"], many["workers, a core each"]) == ("10", "100")
