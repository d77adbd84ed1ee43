"""Static files by whitenoise, answered whole: under ASGI Django warns of a file that streams.

However many read one at the same time, however slowly, it is in memory once.

Without DEBUG their address has a version, a hash of all of them:

    /static/v-0123456789ab/js/lobby.js

What a page loads, and the modules that import each other from there by relative addresses, are of
one version then, and a browser may keep them for good. So a worker has our own files as they were
at its start, whatever a new version puts in their place meanwhile. An address of another version,
which people have while workers are renewed one by one, has the present file, to be asked for again.
"""

import os
import re
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import django
from django.contrib.staticfiles.finders import FileSystemFinder
from django.contrib.staticfiles.storage import StaticFilesStorage
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.utils.cache import get_conditional_response
from whitenoise.middleware import WhiteNoiseFileResponse, WhiteNoiseMiddleware
from whitenoise.responders import StaticFile

KEPT = 128  # files; the pages have some 65, and the admin its own
FOR_GOOD = "max-age=31536000, public, immutable"
HASH_BYTES = 6  # for two versions that are in use at one time

_prefix = ""  # of addresses, below STATIC_URL; nothing with DEBUG, and where nothing is served


class Versioned(StaticFilesStorage):
    """What `{% static %}` says."""

    def url(self, name: str | None) -> str:
        plain = super().url(name)
        return f"{self.base_url}{_prefix}{plain.removeprefix(self.base_url or '')}"


class Own(NamedTuple):
    """A file of ours, as it was at our start."""

    content: bytes
    etag: str
    headers: list[tuple[str, str]]

    def answer(self, request: HttpRequest) -> HttpResponseBase:
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(("GET", "HEAD"))
        whole = HttpResponse(self.content, headers=dict(self.headers))
        whole["ETag"] = self.etag
        answer = get_conditional_response(request, etag=self.etag, response=whole)
        assert answer is not None
        return answer


class StaticFiles(WhiteNoiseMiddleware):
    def __init__(self, get_response=None) -> None:  # type: ignore[no-untyped-def]
        super().__init__(get_response)
        self._own: dict[str, Own] = {}
        self.version = ""
        self._versions = re.compile(re.escape(self.static_prefix) + r"(v-[0-9a-f]+/)")
        if not self.autorefresh:
            self._begin_version()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        asked = self._versions.match(request.path_info)
        path, version = request.path_info, ""
        if asked:
            path, version = self.static_prefix + path[asked.end() :], asked[1]
        file = self.find_file(path) if self.autorefresh else self.files.get(path)
        if file is None:
            return self.get_response(request)
        own = self._own.get(path)
        answer = own.answer(request) if own else self.serve(file, request)
        if version and version == self.version:
            answer["Cache-Control"] = FOR_GOOD
        return answer

    def _begin_version(self) -> None:
        global _prefix
        for url, path in _own_files(self.static_prefix):
            _, headers = self.files[url].get_path_and_headers({})
            content = Path(path).read_bytes()
            etag = f'"{blake2b(content, digest_size=HASH_BYTES).hexdigest()}"'
            self._own[url] = Own(content, etag, _without(headers, "ETag", "Last-Modified"))
        self.version = _prefix = f"v-{self._hash()}/"

    def _hash(self) -> str:
        """The files of packages by their sizes alone: they change with their packages."""
        all_of_it = blake2b(django.__version__.encode(), digest_size=HASH_BYTES)
        for url, file in sorted(self.files.items()):
            own = self._own.get(url)
            size = dict(file.get_path_and_headers({})[1])["Content-Length"]
            all_of_it.update(f"{url} {own.etag if own else size}\n".encode())
        return all_of_it.hexdigest()

    @staticmethod
    def serve(static_file: StaticFile, request: HttpRequest) -> HttpResponse:
        streamed = WhiteNoiseMiddleware.serve(static_file, request)
        whole = HttpResponse(_content(streamed), status=streamed.status_code)
        whole.headers = streamed.headers
        if (file := getattr(streamed, "file_to_stream", None)) is not None:
            file.close()  # alone: to close the response would end the request a first time
        return whole


def _own_files(prefix: str) -> Iterable[tuple[str, str]]:
    """Their address without a version, and where they are."""
    for path, storage in FileSystemFinder().list(None):
        folder = f"{storage.prefix}/" if storage.prefix else ""
        yield f"{prefix}{folder}{path}", storage.path(path)


def _without(headers: Iterable[tuple[str, str]], *names: str) -> list[tuple[str, str]]:
    return [(name, value) for name, value in headers if name not in names]


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
