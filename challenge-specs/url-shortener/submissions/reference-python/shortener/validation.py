"""What clients may send."""

import base64
import binascii
import json
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.requests import Request

from shortener.errors import ApiError

MAX_BODY_BYTES = 16 * 1024
MAX_URL_LENGTH = 2048
MAX_TTL_SECONDS = 31_536_000
ALIAS = re.compile(r"[A-Za-z0-9_-]{3,32}")
# Aliases that would hide our own paths.
RESERVED = {"links", "health"}
PRINTABLE_ASCII = re.compile(r"[!-~]+")


@dataclass(frozen=True)
class NewLink:
    url: str
    alias: "str | None"
    ttl_seconds: "int | None"


async def read_new_link(request: Request) -> NewLink:
    """Reads and checks the body of POST /links."""
    body = await _read_json_object(request)
    return NewLink(
        url=_parse_url(body.get("url")),
        alias=_parse_alias(body["alias"]) if "alias" in body else None,
        ttl_seconds=_parse_ttl(body["ttlSeconds"]) if "ttlSeconds" in body else None,
    )


async def _read_json_object(request: Request) -> dict:
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if media_type != "application/json":
        raise ApiError(415, "unsupported_media_type", "Send the body as application/json.")
    raw = await _read_body(request)
    try:
        body = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        raise ApiError(400, "invalid_json", "The body is not valid JSON.") from None
    if not isinstance(body, dict):
        raise ApiError(400, "invalid_json", "The body must be a JSON object.")
    return body


async def _read_body(request: Request) -> bytes:
    """Reads to the end even when the body is too large: a client that still sends would miss the answer."""
    kept = bytearray()
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= MAX_BODY_BYTES:
            kept += chunk
        elif size > 64 * MAX_BODY_BYTES:
            break
    if size > MAX_BODY_BYTES:
        raise ApiError(413, "body_too_large", f"The body may have at most {MAX_BODY_BYTES} bytes.")
    return bytes(kept)


def _parse_url(url: object) -> str:
    if not isinstance(url, str) or len(url) > MAX_URL_LENGTH or not _is_http_url(url):
        raise ApiError(
            422,
            "invalid_url",
            f'"url" must be an absolute http or https URL of at most {MAX_URL_LENGTH} ASCII characters.',
        )
    return url


def _is_http_url(text: str) -> bool:
    if not PRINTABLE_ASCII.fullmatch(text):
        return False
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises when it is no number
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _parse_alias(alias: object) -> str:
    if not isinstance(alias, str) or not ALIAS.fullmatch(alias) or alias in RESERVED:
        raise ApiError(
            422,
            "invalid_alias",
            '"alias" must be 3 to 32 letters, digits, "_" or "-", and not "links" or "health".',
        )
    return alias


def _parse_ttl(ttl: object) -> int:
    # True and False are integers to Python, not to JSON.
    if isinstance(ttl, bool) or not isinstance(ttl, int) or not 1 <= ttl <= MAX_TTL_SECONDS:
        raise ApiError(422, "invalid_ttl", f'"ttlSeconds" must be a whole number from 1 to {MAX_TTL_SECONDS}.')
    return ttl


def parse_page(query) -> "tuple[int, int | None]":
    """Checks the query of GET /links. Returns the limit and the position to start before, if any."""
    limit = query.get("limit", "20")
    if not re.fullmatch(r"[0-9]{1,3}", limit) or not 1 <= int(limit) <= 100:
        raise ApiError(400, "invalid_query", '"limit" must be a whole number from 1 to 100.')
    cursor = query.get("cursor")
    return int(limit), None if cursor is None else _decode_cursor(cursor)


def encode_cursor(position: int) -> str:
    return base64.urlsafe_b64encode(f"p{position}".encode()).decode().rstrip("=")


def _decode_cursor(cursor: str) -> int:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except (ValueError, binascii.Error):
        text = ""
    if not re.fullmatch(r"p[0-9]{1,15}", text):
        raise ApiError(400, "invalid_query", '"cursor" must be a "nextCursor" of an earlier answer.')
    return int(text[1:])
