"""The links, kept in SQLite."""

import os
import secrets
import sqlite3
import string
import time
from dataclasses import dataclass
from datetime import datetime, timezone

CODE_ALPHABET = string.ascii_letters + string.digits + "_-"
CODE_LENGTH = 8

SCHEMA = """
CREATE TABLE IF NOT EXISTS links (
    position   INTEGER PRIMARY KEY AUTOINCREMENT,
    code       TEXT NOT NULL UNIQUE,
    url        TEXT NOT NULL,
    visits     INTEGER NOT NULL DEFAULT 0,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER,
    deleted    INTEGER NOT NULL DEFAULT 0
)
"""
COLUMNS = "position, code, url, visits, created_ms, expires_ms, deleted"


@dataclass(frozen=True)
class Link:
    position: int
    code: str
    url: str
    visits: int
    created_ms: int
    expires_ms: "int | None"
    deleted: int

    @property
    def live(self) -> bool:
        return not self.deleted and (self.expires_ms is None or _now_ms() < self.expires_ms)

    def to_json(self) -> dict:
        return {
            "code": self.code,
            "url": self.url,
            "visits": self.visits,
            "createdAt": _timestamp(self.created_ms),
            "expiresAt": None if self.expires_ms is None else _timestamp(self.expires_ms),
        }


class AliasTaken(Exception):
    pass


class LinkStore:
    """All methods commit before they return."""

    def __init__(self, directory: str) -> None:
        os.makedirs(directory, exist_ok=True)
        # isolation_level=None: every statement is a transaction of its own.
        self._db = sqlite3.connect(os.path.join(directory, "links.db"), isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute(SCHEMA)

    def create(self, url: str, alias: "str | None", ttl_seconds: "int | None") -> Link:
        """Raises AliasTaken when the alias was ever given out."""
        now = _now_ms()
        expires = None if ttl_seconds is None else now + ttl_seconds * 1000
        while True:
            code = alias or "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))
            try:
                cursor = self._db.execute(
                    "INSERT INTO links (code, url, created_ms, expires_ms) VALUES (?, ?, ?, ?)",
                    (code, url, now, expires),
                )
            except sqlite3.IntegrityError:
                if alias is not None:
                    raise AliasTaken from None
                continue
            return Link(cursor.lastrowid, code, url, 0, now, expires, 0)

    def find(self, code: str) -> "Link | None":
        row = self._db.execute(f"SELECT {COLUMNS} FROM links WHERE code = ?", (code,)).fetchone()
        return None if row is None else Link(*row)

    def record_visit(self, link: Link) -> None:
        self._db.execute("UPDATE links SET visits = visits + 1 WHERE position = ?", (link.position,))

    def delete(self, link: Link) -> None:
        self._db.execute("UPDATE links SET deleted = 1 WHERE position = ?", (link.position,))

    def page(self, limit: int, before: "int | None") -> "tuple[list[Link], int | None]":
        """The newest live links before a position, and the position to go on from, or None at the end."""
        rows = self._db.execute(
            f"SELECT {COLUMNS} FROM links"
            " WHERE position < ? AND deleted = 0 AND (expires_ms IS NULL OR expires_ms > ?)"
            " ORDER BY position DESC LIMIT ?",
            (2**62 if before is None else before, _now_ms(), limit + 1),
        ).fetchall()
        links = [Link(*row) for row in rows[:limit]]
        return links, links[-1].position if len(rows) > limit else None

    def close(self) -> None:
        self._db.close()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _timestamp(ms: int) -> str:
    moment = datetime.fromtimestamp(ms / 1000, timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
