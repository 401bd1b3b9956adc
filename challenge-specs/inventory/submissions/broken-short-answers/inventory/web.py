"""The HTTP side: requests in, JSON out."""

import hashlib
import json
from datetime import timezone

from flask import Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from . import validation
from .problems import Problem


def show_item(row):
    return {
        "id": str(row["id"]),
        "sku": row["sku"],
        "name": row["name"],
        "category": row["category"],
        "price": validation.money(row["price"]),
        "stock": row["stock"],
        "available": row["stock"] - row["reserved"],
        "createdAt": _time(row["created_at"]),
    }


def show_reservation(row):
    return {
        "id": str(row["id"]),
        "itemId": str(row["item"]),
        "quantity": row["quantity"],
        "total": validation.money(row["quantity"] * row["price"]),
        "status": row["status"],
        "expiresAt": _time(row["expires_at"]),
    }


def _in_list(item):
    return {name: item[name] for name in ("id", "name", "price", "stock", "available")}


def _time(value):
    return value.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _json(value, status=200, **headers):
    names = {name.replace("_", "-"): text for name, text in headers.items()}
    return Response(json.dumps(value), status, names, mimetype="application/json")


def etag_of(item):
    return f'"{hashlib.sha256(json.dumps(item, sort_keys=True).encode()).hexdigest()[:24]}"'


def _matches(header, etag, weak):
    tags = [tag.strip() for tag in header.split(",")]
    return "*" in tags or etag in tags or (weak and f"W/{etag}" in tags)


def require_match(item):
    header = request.headers.get("If-Match")
    if header is None:
        raise Problem("precondition_required")
    if not _matches(header, etag_of(show_item(item)), weak=False):
        raise Problem("precondition_failed")


def routes(app, store):
    @app.errorhandler(Problem)
    def problem(error):
        return error.response()

    @app.errorhandler(HTTPException)
    def http_problem(error):
        if isinstance(error, MethodNotAllowed):
            return Problem("method_not_allowed", headers={"Allow": ", ".join(error.valid_methods)}).response()
        if error.code == 404:
            return Problem("not_found").response()
        # What nobody expected is not the client's; Flask has logged it.
        return Problem("internal" if error.code >= 500 else "malformed_json").response()

    @app.get("/health")
    def health():
        return _json({"status": "ok"})

    @app.post("/items")
    def add_item():
        body = validation.read_object(request)
        key = validation.idempotency_key(request.headers)
        values = validation.new_item(body)
        with store.transaction() as db:
            item = store.once(
                db,
                key,
                fingerprint(body),
                lambda: show_item(store.add_item(db, {**values, "price": validation.cents(values["price"])})),
            )
        return _json(item, 201, Location=f"/items/{item['id']}", ETag=etag_of(item))

    @app.get("/items")
    def list_items():
        query = validation.list_query(request.args)
        with store.transaction() as db:
            rows, cursor = store.list_items(db, query)
        return _json({"items": [_in_list(show_item(row)) for row in rows], "nextCursor": cursor})

    @app.get("/items/<uuid:item_id>")
    def get_item(item_id):
        with store.transaction() as db:
            item = show_item(store.item(db, item_id))
        etag = etag_of(item)
        if _matches(request.headers.get("If-None-Match", ""), etag, weak=True):
            return Response(status=304, headers={"ETag": etag})
        return _json(item, ETag=etag)

    @app.put("/items/<uuid:item_id>")
    def change_item(item_id):
        body = validation.read_object(request)
        values = validation.item_change(body)
        values["price"] = validation.cents(values["price"])
        with store.transaction() as db:
            before = store.lock_item(db, item_id)
            require_match(before)
            item = show_item(store.change_item(db, before, values))
        return _json(item, ETag=etag_of(item))

    @app.delete("/items/<uuid:item_id>")
    def delete_item(item_id):
        with store.transaction() as db:
            item = store.lock_item(db, item_id)
            require_match(item)
            store.delete_item(db, item)
        return Response(status=204)

    @app.post("/items/<uuid:item_id>/reservations")
    def reserve(item_id):
        body = validation.read_object(request)
        key = validation.idempotency_key(request.headers)
        values = validation.reservation(body)
        with store.transaction() as db:
            held = store.once(
                db, key, fingerprint(body), lambda: show_reservation(store.reserve(db, item_id, values))
            )
        return _json(held, 201, Location=f"/reservations/{held['id']}")

    @app.get("/reservations/<uuid:reservation_id>")
    def get_reservation(reservation_id):
        with store.transaction() as db:
            return _json(show_reservation(store.reservation(db, reservation_id)))

    @app.post("/reservations/<uuid:reservation_id>/confirm")
    def confirm(reservation_id):
        with store.transaction() as db:
            store.close(db, reservation_id, "confirmed")
            return json.dumps({"id": str(reservation_id), "status": "confirmed"})

    @app.post("/reservations/<uuid:reservation_id>/cancel")
    def cancel(reservation_id):
        with store.transaction() as db:
            store.close(db, reservation_id, "cancelled")
            return json.dumps({"id": str(reservation_id), "status": "cancelled"})


def fingerprint(body):
    """What must be the same for two requests to be one: path and body, however the body is written."""
    return json.dumps([request.path, body], sort_keys=True)
