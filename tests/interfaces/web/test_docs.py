"""Swagger UI at /api/docs/, from our own files and under our own Content-Security-Policy."""

from playwright.sync_api import expect


def test_swagger_shows_every_route_and_the_browser_complains_of_nothing(visitors, stack):
    page = visitors.come()
    outside = []
    page.on("request", lambda asked: outside.append(asked.url))
    page.goto("/api/docs/")
    send = page.locator("#operations-rooms-events_send")
    send.locator(".opblock-summary").click()
    expect(send.get_by_text("Answered after it is stored")).to_be_visible()
    assert page.locator(".opblock").count() == 29
    assert [url for url in outside if not url.startswith((stack.urls[0], "data:"))] == []
