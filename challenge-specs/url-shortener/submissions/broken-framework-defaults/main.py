import os
import secrets
import sqlite3
import time
from datetime import datetime, timezone
from typing import Optional

import uvicorn
from fastapi import FastAPI, HTTPException, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field

DATA_DIR = os.environ.get("DATA_DIR", "/data")

os.makedirs(DATA_DIR, exist_ok=True)
db = sqlite3.connect(os.path.join(DATA_DIR, "links.db"), isolation_level=None, check_same_thread=False)
db.execute("PRAGMA journal_mode=WAL")
db.row_factory = sqlite3.Row
db.execute(
    """CREATE TABLE IF NOT EXISTS links (
        id INTEGER PRIMARY KEY AUTOINCREMENT, code TEXT UNIQUE, url TEXT, visits INTEGER DEFAULT 0,
        created REAL, expires REAL, deleted INTEGER DEFAULT 0)"""
)

app = FastAPI(title="URL shortener")


class NewLink(BaseModel):
    url: str = Field(min_length=1, max_length=2048)
    alias: Optional[str] = Field(default=None, min_length=3, max_length=32)
    ttlSeconds: Optional[int] = Field(default=None, ge=1, le=31_536_000)


def timestamp(seconds):
    return None if seconds is None else datetime.fromtimestamp(seconds, timezone.utc).isoformat()


def to_json(row):
    return {
        "code": row["code"],
        "url": row["url"],
        "visits": row["visits"],
        "createdAt": timestamp(row["created"]),
        "expiresAt": timestamp(row["expires"]),
    }


def find(code):
    row = db.execute("SELECT * FROM links WHERE code = ?", (code,)).fetchone()
    if row is None:
        raise HTTPException(404, "no such link")
    return row


def find_live(code):
    row = find(code)
    if row["deleted"] or (row["expires"] is not None and row["expires"] <= time.time()):
        raise HTTPException(410, "this link is gone")
    return row


@app.get("/health")
async def health():
    return {"status": "ok"}


@app.post("/links", status_code=201)
async def create(new: NewLink, response: Response):
    if not new.url.startswith(("http://", "https://")):
        raise HTTPException(422, "not an http or https URL")
    now = time.time()
    code = new.alias or secrets.token_urlsafe(6)
    expires = None if new.ttlSeconds is None else now + new.ttlSeconds
    try:
        db.execute(
            "INSERT INTO links (code, url, created, expires) VALUES (?, ?, ?, ?)", (code, new.url, now, expires)
        )
    except sqlite3.IntegrityError:
        raise HTTPException(409, "this alias is taken")
    response.headers["location"] = f"/{code}"
    return to_json(find(code))


@app.get("/links")
async def list_links(limit: int = 20, cursor: Optional[int] = None):
    rows = db.execute(
        "SELECT * FROM links WHERE deleted = 0 AND (expires IS NULL OR expires > ?) AND id < ? ORDER BY id DESC LIMIT ?",
        (time.time(), cursor or 2**62, limit + 1),
    ).fetchall()
    more = len(rows) > limit
    rows = rows[:limit]
    return {"links": [to_json(row) for row in rows], "nextCursor": str(rows[-1]["id"]) if more else None}


@app.get("/links/{code}")
async def show(code: str):
    return to_json(find_live(code))


@app.delete("/links/{code}", status_code=204)
async def delete(code: str):
    db.execute("UPDATE links SET deleted = 1 WHERE code = ?", (find(code)["code"],))
    return Response(status_code=204)


@app.get("/{code}")
async def follow(code: str):
    row = find_live(code)
    db.execute("UPDATE links SET visits = visits + 1 WHERE code = ?", (code,))
    return RedirectResponse(row["url"])


if __name__ == "__main__":
    uvicorn.run(app, host="0.0.0.0", port=int(os.environ.get("PORT", "8080")), log_level="warning")
