import json
import os
import re
import secrets
import sqlite3
import time
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

DATA_DIR = os.environ.get("DATA_DIR", "/data")
MAX_BODY_BYTES = 16 * 1024
CODE = re.compile(r"[A-Za-z0-9_-]{3,32}")
URL = re.compile(r"https?://(?![/?#])[!-~]+", re.IGNORECASE)


class Failure(Exception):
    def __init__(self, status, code, message, headers=None):
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, headers or {}


# ---- storage ----

os.makedirs(DATA_DIR, exist_ok=True)
db = sqlite3.connect(os.path.join(DATA_DIR, "links.db"), isolation_level=None)
db.row_factory = sqlite3.Row
db.execute("PRAGMA journal_mode=WAL")
db.execute("PRAGMA synchronous=NORMAL")
db.execute(
    "CREATE TABLE IF NOT EXISTS links (id INTEGER PRIMARY KEY AUTOINCREMENT, code TEXT NOT NULL UNIQUE,"
    " url TEXT NOT NULL, visits INTEGER NOT NULL DEFAULT 0, created INTEGER NOT NULL, expires INTEGER,"
    " deleted INTEGER NOT NULL DEFAULT 0)"
)


def now_ms():
    return time.time_ns() // 1_000_000


def timestamp(ms):
    if ms is None:
        return None
    moment = datetime.fromtimestamp(ms / 1000, timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def to_json(link):
    return {
        "code": link["code"],
        "url": link["url"],
        "visits": link["visits"],
        "createdAt": timestamp(link["created"]),
        "expiresAt": timestamp(link["expires"]),
    }


def find(code):
    link = db.execute("SELECT * FROM links WHERE code = ?", (code,)).fetchone()
    if link is None:
        raise Failure(404, "not_found", "There is no such link.")
    return link


def find_live(code):
    link = find(code)
    if link["deleted"] or (link["expires"] is not None and link["expires"] <= now_ms()):
        raise Failure(410, "gone", "This link is gone.")
    return link


# ---- validation ----


def check_new_link(body):
    url, alias, ttl = body.get("url"), body.get("alias", ""), body.get("ttlSeconds", 1)
    if not isinstance(url, str) or len(url) > 2048 or not is_http_url(url):
        raise Failure(422, "invalid_url", "url must be an http or https URL.")
    if "alias" in body and not (
        isinstance(alias, str) and CODE.fullmatch(alias) and alias not in ("links", "health")
    ):
        raise Failure(422, "invalid_alias", "alias must be 3 to 32 letters, digits, _ or -.")
    if isinstance(ttl, bool) or not isinstance(ttl, int) or not 1 <= ttl <= 31_536_000:
        raise Failure(422, "invalid_ttl", "ttlSeconds must be a whole number from 1 to 31536000.")


def is_http_url(url):
    if not URL.fullmatch(url):
        return False
    try:
        parts = urlsplit(url)
        _ = parts.port
        return bool(parts.hostname)
    except ValueError:
        return False


def check_page(query):
    limit, cursor = query.get("limit", ["20"])[0], query.get("cursor", [str(2**62)])[0]
    if not re.fullmatch(r"[0-9]{1,3}", limit) or not 1 <= int(limit) <= 100:
        raise Failure(400, "invalid_query", "limit must be from 1 to 100.")
    if not re.fullmatch(r"[0-9]{1,19}", cursor):
        raise Failure(400, "invalid_query", "This is not one of our cursors.")
    return int(limit), min(int(cursor), 2**62)


# ---- HTTP ----


class Handler(BaseHTTPRequestHandler):
    def __getattr__(self, name):
        # Every method goes the same way, also those that the base class has no name for.
        if name.startswith("do_"):
            return self.serve
        raise AttributeError(name)

    def serve(self):
        try:
            self.route()
        except Failure as failure:
            error = {"error": {"code": failure.code, "message": failure.message}}
            self.send_json(failure.status, error, failure.headers)

    def route(self):
        path, _, query = self.path.partition("?")
        parts = path.split("/")[1:]
        if path == "/health":
            self.allow("GET", "HEAD")
            self.send_json(200, {"status": "ok"})
        elif path == "/links":
            self.allow("GET", "HEAD", "POST")
            self.create() if self.command == "POST" else self.list(parse_qs(query, keep_blank_values=True))
        elif len(parts) == 2 and parts[0] == "links":
            self.allow("GET", "HEAD", "DELETE")
            self.delete(parts[1]) if self.command == "DELETE" else self.send_json(200, to_json(find_live(parts[1])))
        elif len(parts) == 1 and parts[0]:
            self.allow("GET", "HEAD")
            self.follow(parts[0])
        else:
            raise Failure(404, "not_found", "There is nothing here.")

    def allow(self, *methods):
        if self.command not in methods:
            raise Failure(405, "method_not_allowed", "Not here.", {"Allow": ", ".join(methods)})

    def create(self):
        body = self.read_json()
        check_new_link(body)
        now = now_ms()
        expires = now + body["ttlSeconds"] * 1000 if "ttlSeconds" in body else None
        code = body.get("alias") or secrets.token_urlsafe(6)
        try:
            db.execute(
                "INSERT INTO links (code, url, created, expires) VALUES (?, ?, ?, ?)", (code, body["url"], now, expires)
            )
        except sqlite3.IntegrityError:
            raise Failure(409, "alias_taken", "This alias is taken.") from None
        self.send_json(201, to_json(find(code)), {"Location": f"/{code}"})

    def list(self, query):
        limit, before = check_page(query)
        rows = db.execute(
            "SELECT * FROM links WHERE id < ? AND deleted = 0 AND (expires IS NULL OR expires > ?)"
            " ORDER BY id DESC LIMIT ?",
            (before, now_ms(), limit + 1),
        ).fetchall()
        cursor = str(rows[limit - 1]["id"]) if len(rows) > limit else None
        self.send_json(200, {"links": [to_json(row) for row in rows[:limit]], "nextCursor": cursor})

    def delete(self, code):
        db.execute("UPDATE links SET deleted = 1 WHERE id = ?", (find(code)["id"],))
        self.send_response(204)
        self.end_headers()

    def follow(self, code):
        link = find_live(code)
        if self.command == "GET":
            db.execute("UPDATE links SET visits = visits + 1 WHERE id = ?", (link["id"],))
        self.send_response(302)
        self.send_header("Location", link["url"])
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def read_json(self):
        if self.headers.get_content_type() != "application/json" or "content-type" not in self.headers:
            raise Failure(415, "unsupported_media_type", "Send application/json.")
        length = int(self.headers.get("content-length", 0))
        raw = self.rfile.read(length)
        if length > MAX_BODY_BYTES:
            raise Failure(413, "body_too_large", "The body may have 16 KiB.")
        try:
            body = json.loads(raw.decode("utf-8"))
        except (ValueError, RecursionError):
            raise Failure(400, "invalid_json", "The body is not JSON.") from None
        if not isinstance(body, dict):
            raise Failure(400, "invalid_json", "The body must be an object.")
        return body

    def send_json(self, status, value, headers=None):
        body = json.dumps(value).encode()
        self.send_response(status)
        for name, text in {"Content-Type": "application/json", "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, text)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(HTTPServer):
    request_queue_size = 256


if __name__ == "__main__":
    Server(("", int(os.environ.get("PORT", "8080"))), Handler).serve_forever()
