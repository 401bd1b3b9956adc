"""What clients send, checked; every function gives clean values or raises Problem."""

import json
import re

from .problems import Problem

SKU = re.compile(r"[A-Z0-9][A-Z0-9-]{2,31}")
CATEGORY = re.compile(r"[a-z][a-z0-9-]{1,31}")
PRICE = re.compile(r"(0|[1-9][0-9]{0,6})\.[0-9]{2}")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
KEY = re.compile(r"[!-~]{1,64}")


def _no_constant(name):
    raise ValueError(name)


def read_object(request):
    if request.mimetype != "application/json":
        raise Problem("unsupported_media_type")
    try:
        value = json.loads(request.get_data().decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Problem("malformed_json") from None
    if not isinstance(value, dict):
        raise Problem("malformed_json")
    return value


def _is_text(pattern):
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_name(value):
    if not isinstance(value, str) or not 1 <= len(value) <= 120 or CONTROL.search(value):
        return False
    # A lone surrogate is no character.
    return value.strip() != "" and not any("\ud800" <= char <= "\udfff" for char in value)


def _is_whole(low, high):
    return lambda value: type(value) is int and low <= value <= high


ITEM_RULES = {
    "name": (_is_name, "1 to 120 characters, not all of them spaces"),
    "category": (_is_text(CATEGORY), "2 to 32 of a-z, 0-9 and -, the first a letter"),
    "price": (_is_text(PRICE), 'a text such as "19.99", up to 9999999.99'),
    "stock": (_is_whole(0, 1_000_000), "a whole number from 0 to 1000000"),
}
NEW_ITEM_RULES = {"sku": (_is_text(SKU), "3 to 32 of A-Z, 0-9 and -, not beginning with -"), **ITEM_RULES}
RESERVATION_RULES = {
    "quantity": (_is_whole(1, 1000), "a whole number from 1 to 1000"),
    "ttlSeconds": (_is_whole(1, 3600), "a whole number from 1 to 3600"),
}


def _check(body, rules):
    errors = [(field, message) for field, (holds, message) in rules.items() if not holds(body.get(field))]
    if errors:
        raise Problem("validation_failed", errors=errors)
    return {field: body[field] for field in rules}


def new_item(body):
    return _check(body, NEW_ITEM_RULES)


def item_change(body):
    return _check(body, ITEM_RULES)


def reservation(body):
    return _check({"ttlSeconds": 900, **body}, RESERVATION_RULES)


def idempotency_key(headers):
    key = headers.get("Idempotency-Key")
    if key is not None and not KEY.fullmatch(key):
        raise Problem("validation_failed", errors=[("Idempotency-Key", "1 to 64 printable ASCII characters")])
    return key


def cents(price):
    whole, fraction = price.split(".")
    return int(whole) * 100 + int(fraction)


def money(amount):
    return f"{amount // 100}.{amount % 100:02d}"


def list_query(args):
    limit = args.get("limit", "20")
    if not re.fullmatch(r"[0-9]{1,3}", limit) or not 1 <= int(limit) <= 100:
        raise Problem("invalid_query", "limit is from 1 to 100")
    cursor = args.get("cursor")
    if cursor is not None and not re.fullmatch(r"c[1-9][0-9]{0,17}", cursor):
        raise Problem("invalid_query", "cursor is not one of ours")
    in_stock = args.get("inStock")
    if in_stock not in (None, "true", "false"):
        raise Problem("invalid_query", "inStock is true or false")
    prices = {}
    for name in ("minPrice", "maxPrice"):
        text = args.get(name)
        if text is not None and not PRICE.fullmatch(text):
            raise Problem("invalid_query", f"{name} is a price")
        prices[name] = None if text is None else cents(text)
    search = args.get("q")
    if search is not None and (not 1 <= len(search) <= 120 or CONTROL.search(search)):
        raise Problem("invalid_query", "q has 1 to 120 characters")
    return {
        "limit": int(limit),
        "before": None if cursor is None else int(cursor[1:]),
        "category": args.get("category"),
        "q": search,
        "in_stock": None if in_stock is None else in_stock == "true",
        "min_price": prices["minPrice"],
        "max_price": prices["maxPrice"],
    }
