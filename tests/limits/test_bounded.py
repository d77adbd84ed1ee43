"""An answer that no view has bounded is not sent."""

import pytest
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import path

from core.answer_limit import ANSWER_MAX

urlpatterns = [
    path("just/", lambda request: HttpResponse("x" * ANSWER_MAX)),
    path("large/", lambda request: HttpResponse("x" * (ANSWER_MAX + 1))),
    path("asked/", lambda request: HttpResponse("x" * (ANSWER_MAX + 1), status=404)),
    path("streamed/", lambda request: StreamingHttpResponse(["x" * ANSWER_MAX] * 2)),
]


@pytest.fixture
def these(db, settings):
    settings.ROOT_URLCONF = __name__


def test_what_is_larger_is_a_fault_that_is_logged_and_not_sent(these, client, caplog):
    answer = client.get("/large/")
    assert (answer.status_code, answer.json()["code"]) == (500, "error")
    assert f"/large/: an answer of {ANSWER_MAX + 1} bytes is not sent" in caplog.text


def test_a_refusal_that_is_larger_is_the_same_one_in_short_and_no_fault(these, client, caplog):
    answer = client.get("/asked/")
    assert (answer.status_code, answer.content) == (404, b"Not Found\n")
    assert "is not sent" not in caplog.text


def test_what_is_just_not_larger_is_sent_and_what_is_streamed_whole(these, client):
    assert len(client.get("/just/").content) == ANSWER_MAX
    assert len(client.get("/streamed/").getvalue()) == 2 * ANSWER_MAX


def test_files_have_a_size_of_their_own(client):
    swagger = client.get("/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js")
    assert swagger.status_code == 200 and len(swagger.content) > ANSWER_MAX


def test_a_file_is_in_memory_once_for_all_who_read_it(client):
    address = "/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js"
    one, two = client.get(address), client.get(address)
    assert one.content is two.content
    assert int(one["Content-Length"]) == len(one.content)
    part = client.get(address, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, one.content[10:20])
    since = client.get(address, headers={"If-Modified-Since": one["Last-Modified"]})
    assert (since.status_code, since.content) == (304, b"")
    assert client.head(address).content == b""
