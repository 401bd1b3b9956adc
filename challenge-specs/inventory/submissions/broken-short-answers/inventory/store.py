"""Items and reservations in PostgreSQL. Each public method is one transaction."""

import json
from contextlib import contextmanager
from uuid import uuid4

from psycopg import errors
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool

from .problems import Problem

SCHEMA = """
SELECT pg_advisory_xact_lock(1);
CREATE TABLE IF NOT EXISTS items (
  number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id uuid NOT NULL UNIQUE, sku text NOT NULL UNIQUE, name text NOT NULL, category text NOT NULL,
  price bigint NOT NULL, stock integer NOT NULL CHECK (stock >= 0),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE IF NOT EXISTS reservations (
  id uuid PRIMARY KEY, item uuid NOT NULL, quantity integer NOT NULL, price bigint NOT NULL,
  status text NOT NULL, expires_at timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS held_by_item ON reservations (item) WHERE status = 'held';
CREATE TABLE IF NOT EXISTS answers (
  key text PRIMARY KEY, request text NOT NULL, answer text
);
"""
RESERVED = """(SELECT coalesce(sum(quantity), 0)::integer FROM reservations
  WHERE item = items.id AND status = 'held' AND expires_at > clock_timestamp())"""
ITEM = f"SELECT items.*, {RESERVED} AS reserved FROM items"
RESERVATION = """SELECT id, item, quantity, price, expires_at,
  CASE WHEN status = 'held' AND expires_at <= clock_timestamp() THEN 'expired' ELSE status END AS status
  FROM reservations"""


class Store:
    def __init__(self, url):
        self.pool = ConnectionPool(url, min_size=1, max_size=8, open=True, kwargs={"row_factory": dict_row})
        with self.pool.connection() as db:
            db.execute(SCHEMA)

    @contextmanager
    def transaction(self):
        with self.pool.connection() as db:
            yield db

    def once(self, db, key, request, work):
        """Does `work` at most once for a key. It runs in the transaction that takes the key."""
        if key is None:
            return work()
        taken = db.execute(
            "INSERT INTO answers (key, request) VALUES (%s, %s) ON CONFLICT DO NOTHING", (key, request)
        ).rowcount
        if taken == 0:
            known = db.execute("SELECT request, answer FROM answers WHERE key = %s", (key,)).fetchone()
            if known["request"] != request:
                raise Problem("idempotency_key_reused")
            return json.loads(known["answer"])
        answer = work()
        db.execute("UPDATE answers SET answer = %s WHERE key = %s", (json.dumps(answer), key))
        return answer

    def add_item(self, db, values):
        try:
            return db.execute(
                "INSERT INTO items (id, sku, name, category, price, stock)"
                " VALUES (%(id)s, %(sku)s, %(name)s, %(category)s, %(price)s, %(stock)s) RETURNING *, 0 AS reserved",
                {**values, "id": uuid4()},
            ).fetchone()
        except errors.UniqueViolation:
            raise Problem("sku_taken") from None

    def item(self, db, item_id):
        found = db.execute(f"{ITEM} WHERE id = %s", (item_id,)).fetchone()
        if found is None:
            raise Problem("not_found")
        return found

    def lock_item(self, db, item_id):
        """The item, with its row locked: what is seen stays true until the transaction ends."""
        if db.execute("SELECT 1 FROM items WHERE id = %s FOR UPDATE", (item_id,)).fetchone() is None:
            raise Problem("not_found")
        return self.item(db, item_id)

    def change_item(self, db, item, values):
        if values["stock"] < item["reserved"]:
            raise Problem("stock_below_reserved", f"{item['reserved']} are reserved")
        db.execute(
            "UPDATE items SET name = %(name)s, category = %(category)s, price = %(price)s, stock = %(stock)s"
            " WHERE id = %(id)s",
            {**values, "id": item["id"]},
        )
        return self.item(db, item["id"])

    def delete_item(self, db, item):
        if item["reserved"] > 0:
            raise Problem("item_in_use")
        db.execute("DELETE FROM items WHERE id = %s", (item["id"],))

    def list_items(self, db, query):
        wanted = {
            "items.number < %(before)s": query["before"],
            "category = %(category)s": query["category"],
            "strpos(lower(name), lower(%(q)s)) > 0": query["q"],
            "price >= %(min_price)s": query["min_price"],
            "price <= %(max_price)s": query["max_price"],
            f"(stock > {RESERVED}) = %(in_stock)s": query["in_stock"],
        }
        conditions = [sql for sql, value in wanted.items() if value is not None] or ["true"]
        rows = db.execute(
            f"{ITEM} WHERE {' AND '.join(conditions)} ORDER BY number DESC LIMIT %(limit)s + 1", query
        ).fetchall()
        page = rows[: query["limit"]]
        return page, f"c{page[-1]['number']}" if len(rows) > len(page) else None

    def reserve(self, db, item_id, values):
        item = self.lock_item(db, item_id)
        if item["stock"] - item["reserved"] < values["quantity"]:
            raise Problem("out_of_stock", f"{item['stock'] - item['reserved']} are available")
        reservation_id = uuid4()
        db.execute(
            "INSERT INTO reservations (id, item, quantity, price, status, expires_at) VALUES"
            " (%s, %s, %s, %s, 'held', clock_timestamp() + make_interval(secs => %s))",
            (reservation_id, item_id, values["quantity"], item["price"], values["ttlSeconds"]),
        )
        return self.reservation(db, reservation_id)

    def reservation(self, db, reservation_id):
        found = db.execute(f"{RESERVATION} WHERE id = %s", (reservation_id,)).fetchone()
        if found is None:
            raise Problem("not_found")
        return found

    def close(self, db, reservation_id, status):
        """Confirms or cancels. Doing the same again changes nothing; anything else is too late."""
        found = self.reservation(db, reservation_id)
        db.execute("SELECT 1 FROM items WHERE id = %s FOR UPDATE", (found["item"],))
        found = self.reservation(db, reservation_id)
        if found["status"] == status:
            return found
        if found["status"] != "held":
            raise Problem("reservation_closed", f"it is {found['status']}")
        db.execute("UPDATE reservations SET status = %s WHERE id = %s", (status, reservation_id))
        if status == "confirmed":
            db.execute("UPDATE items SET stock = stock - %s WHERE id = %s", (found["quantity"], found["item"]))
        return self.reservation(db, reservation_id)
