"""Where the site is. It may have several addresses, as workers behind no balancer have."""

from collections.abc import Sequence
from urllib.parse import urljoin, urlsplit


class Site:
    def __init__(self, url: str | Sequence[str]) -> None:
        """Raises ValueError for what is no address, `http://…` or `https://…`."""
        urls = [url] if isinstance(url, str) else list(url)
        if not urls:
            raise ValueError("a site has an address")
        for each in urls:
            parts = urlsplit(each)
            if parts.scheme not in ("http", "https") or not parts.netloc:
                raise ValueError(f"not the address of a site: {each!r}")
        self._urls = [each.rstrip("/") for each in urls]
        self._at = 0

    def __len__(self) -> int:
        return len(self._urls)

    @property
    def url(self) -> str:
        """The address of now, without a slash at its end."""
        return self._urls[self._at]

    @property
    def origin(self) -> str:
        """As a browser names it to the site."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def socket_url(self) -> str:
        return f"ws{self.url.removeprefix('http')}/ws/"

    def api_url(self, path: str) -> str:
        """`path`: below /api/v1/, or a link as an answer gave it."""
        link = urlsplit(path)
        if link.netloc:
            path = link._replace(scheme="", netloc="").geturl()
        return urljoin(f"{self.url}/api/v1/", path)

    def leave(self, url: str) -> None:
        """Nobody answered there: the next address, unless somebody went on already."""
        if url == self.url:
            self._at = (self._at + 1) % len(self._urls)
