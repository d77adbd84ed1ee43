"""Static files by whitenoise, answered whole: under ASGI Django warns of a file that streams.

However many read one at the same time, however slowly, it is in memory once.
"""

import os
from functools import lru_cache
from pathlib import Path

from django.http import HttpRequest, HttpResponse
from whitenoise.middleware import WhiteNoiseFileResponse, WhiteNoiseMiddleware
from whitenoise.responders import StaticFile

KEPT = 128  # files; the pages have some 65, and the admin its own


class StaticFiles(WhiteNoiseMiddleware):
    @staticmethod
    def serve(static_file: StaticFile, request: HttpRequest) -> HttpResponse:
        streamed = WhiteNoiseMiddleware.serve(static_file, request)
        whole = HttpResponse(_content(streamed), status=streamed.status_code)
        whole.headers = streamed.headers
        if (file := getattr(streamed, "file_to_stream", None)) is not None:
            file.close()  # alone: to close the response would end the request a first time
        return whole


def _content(streamed: WhiteNoiseFileResponse) -> bytes:
    file = getattr(streamed, "file_to_stream", None)
    name = getattr(file, "name", None)
    if file is None or not isinstance(name, str):  # no body, or a part of the file
        return bytes(streamed.getvalue())
    now = os.fstat(file.fileno())
    return _kept(name, now.st_mtime_ns, now.st_size)


@lru_cache(KEPT)
def _kept(path: str, changed_at: int, size: int) -> bytes:
    """As it was then: a file that has changed is read anew."""
    return Path(path).read_bytes()
