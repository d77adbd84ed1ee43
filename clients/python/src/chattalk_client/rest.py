"""One request, and its answer or its refusal. Who asks is said by its headers, if at all."""

import platform
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import httpx2

from chattalk_client.errors import Closed, Refused, Unreachable
from chattalk_client.site import Site

ANSWER_WITHIN = 20.0  # seconds without a byte
NOT_ARRIVED = (httpx2.ConnectError, httpx2.ConnectTimeout)


def _version() -> str:
    try:
        return version("chattalk-client")
    except PackageNotFoundError:  # used from its folder, not installed
        return "0"


# The site takes a refresh token a second time only from the program that showed it before.
USER_AGENT = f"chattalk-client/{_version()} Python/{platform.python_version()}"


class Rest:
    def __init__(self, site: Site) -> None:
        self.site = site
        self._is_closed = False

    @cached_property
    def _http(self) -> httpx2.AsyncClient:
        """Made by the first request: it reads all certificates, and many clients ask nothing."""
        return httpx2.AsyncClient(timeout=ANSWER_WITHIN, headers={"User-Agent": USER_AGENT})

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Any:
        """What the answer says, as Python values; None where it says nothing.

        Raises Refused, Closed, and Unreachable; what may have arrived is not asked again.
        """
        for is_last in [*[False] * (len(self.site) - 1), True]:
            if self._is_closed:
                raise Closed
            url, sent = self.site.url, headers
            if headers and "Cookie" in headers:  # from a page of that address, as it were
                sent = headers | {"Origin": self.site.origin}
            request = self._http.build_request(
                method, self.site.api_url(path), headers=sent, json=body, params=query
            )
            try:
                return _said(await self._http.send(request))
            except httpx2.TransportError as error:
                self.site.leave(url)
                if is_last or not isinstance(error, NOT_ARRIVED):
                    raise Unreachable(f"{url}: {type(error).__name__} {error}") from error

    async def close(self) -> None:
        self._is_closed = True
        if "_http" in vars(self):
            await self._http.aclose()


def _said(answer: httpx2.Response) -> Any:
    if answer.is_success:
        return answer.json() if answer.content else None
    raise _refusal(answer)


def _refusal(answer: httpx2.Response) -> Refused:
    """By its problem (RFC 9457); by its status, where something between us and the site answers."""
    status = answer.status_code
    try:
        problem = answer.json()
        code, sentence = str(problem["code"]), str(problem["detail"])
    except (ValueError, TypeError, KeyError):
        code, sentence = f"http_{status}", answer.reason_phrase
    return Refused(code, sentence, seconds(answer.headers.get("Retry-After")), status)


def seconds(header: str | None) -> float | None:
    """Of a `Retry-After`; None for a date, or where there is none."""
    return float(header) if header and header.isdecimal() else None
