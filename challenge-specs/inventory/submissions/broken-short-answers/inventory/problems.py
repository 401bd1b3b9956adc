"""Errors as RFC 9457 problem documents."""

import json

from flask import Response

TITLES = {
    "malformed_json": (400, "The body is not a JSON object"),
    "invalid_query": (400, "A query parameter is not allowed"),
    "not_found": (404, "There is nothing here"),
    "method_not_allowed": (405, "This resource does not have that method"),
    "sku_taken": (409, "Another item has this SKU"),
    "out_of_stock": (409, "Not enough is available"),
    "stock_below_reserved": (409, "More is reserved than this stock"),
    "item_in_use": (409, "The item has open reservations"),
    "reservation_closed": (409, "The reservation is not held any more"),
    "precondition_failed": (412, "The item has changed"),
    "unsupported_media_type": (415, "The body must be application/json"),
    "validation_failed": (422, "Some members break their rules"),
    "idempotency_key_reused": (422, "This key came with another request"),
    "precondition_required": (428, "If-Match is missing"),
    "internal": (500, "Something went wrong here"),
}


class Problem(Exception):
    """A request that cannot be done, and why."""

    def __init__(self, code, detail=None, errors=None, headers=None):
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.errors = errors
        self.headers = headers or {}

    def response(self):
        status, title = TITLES[self.code]
        body = {"type": f"/problems/{self.code.replace('_', '-')}", "title": title, "status": status, "code": self.code}
        if self.detail:
            body["detail"] = self.detail
        if self.errors:
            body["errors"] = [{"field": field, "message": message} for field, message in self.errors]
        return Response(json.dumps(body), status, self.headers, mimetype="application/problem+json")
