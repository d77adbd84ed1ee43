"""What a request may bring is known from its head, or while it comes; never after it is stored."""

import asyncio
import json

import pytest

from tests.messaging.conftest import closed_node  # noqa: F401  (a fixture)
from tests.messaging.served import served
from tests.raw_line import SECONDS, connect, head

PATHS = [
    "/", "/accounts/sign-in/", "/api/v1/tokens/", "/api/users/login", "/graphql/",
    "/admin/login/", "/nowhere/",
]  # fmt: skip
KIB = 1024


async def answered(reader):
    async with asyncio.timeout(SECONDS):
        said = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(line for line in said.split("\r\n") if line.startswith("content-length"))
        return said, json.loads(await reader.readexactly(int(length.split()[1])))


@pytest.mark.parametrize("path", PATHS)
async def test_a_body_that_is_announced_too_large_is_refused_before_any_of_it_came(
    transactional_db, path
):
    async with served() as url:
        reader, writer = await connect(url)
        lines = f"Content-Length: {2**30}", "Accept-Language: en"
        writer.write(head(path, *lines, method="POST"))
        said, problem = await answered(reader)
        assert said.startswith("HTTP/1.1 413 ")
        assert "application/problem+json" in said
        most = 256 if path.startswith("/admin/") else 64
        assert problem["code"] == "too_large" and f"{most} KiB" in problem["detail"]
        writer.close()


@pytest.mark.parametrize("path", PATHS)
async def test_one_that_comes_in_chunks_is_refused_when_it_has_grown_too_large(
    transactional_db, path
):
    async with served() as url:
        reader, writer = await connect(url)
        writer.write(head(path, "Transfer-Encoding: chunked", method="POST"))
        for _ in range(5):  # 320 KiB, and no end
            writer.write(b"10000\r\n" + b"x" * 64 * KIB + b"\r\n")
        said, problem = await answered(reader)
        assert said.startswith("HTTP/1.1 413 ")
        assert problem["code"] == "too_large"
        writer.close()


async def test_after_a_refusal_the_connection_is_good_for_the_next_request(transactional_db):
    async with served() as url:
        reader, writer = await connect(url)
        writer.write(head("/", f"Content-Length: {100 * KIB}", method="POST") + b"x" * 100 * KIB)
        assert (await answered(reader))[0].startswith("HTTP/1.1 413 ")
        writer.write(head("/livez"))
        async with asyncio.timeout(SECONDS):
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        writer.close()


async def test_a_reader_of_korean_is_told_in_korean(transactional_db):
    async with served() as url:
        reader, writer = await connect(url)
        lines = f"Content-Length: {2**30}", "Accept-Language: ko"
        writer.write(head("/api/v1/tokens/", *lines, method="POST"))
        assert not (await answered(reader))[1]["detail"].isascii()
        writer.close()
