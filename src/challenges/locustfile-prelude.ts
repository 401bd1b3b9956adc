/**
 * The part of an exported locustfile that is the same for every plan: templates, checks and captures as our own
 * generator has them. Python reads placeholders as `[$][{]`, since this is a template literal.
 */
export const LOCUSTFILE_PRELUDE = String.raw`import json
import random
import re
import time
import uuid
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from urllib.parse import quote, urlencode

from locust import FastHttpUser, LoadTestShape, SequentialTaskSet, between, constant, constant_pacing, tag, task

PLACEHOLDER = re.compile(r"[$][$][{]|[$][{]([^}]*)[}]")
LETTERS = "abcdefghijklmnopqrstuvwxyz"
WORDS = "amber anchor beacon birch canyon cedar delta ember fern forest garden harbor ivory jasmine lagoon".split()
HEADERS = {"accept": "*/*", "accept-encoding": "identity"}
MISSING = object()


def made_up(what, numbers):
    if what == "slug":
        length = numbers[0] if numbers else 10
        return random.choice(LETTERS) + "".join(random.choices(LETTERS + "0123456789", k=length - 1))
    if what == "int":
        return random.randint(*(numbers or [0, 999_999_999]))
    if what == "email":
        return f"{random.choice(WORDS)}.{made_up('slug', [8])}@example.com"
    return str(uuid.uuid4()) if what == "uuid" else random.choice(WORDS)


def fill(value, captured, encode=str):
    """Puts captures and random values where a template names them. A text that is one template keeps its type."""
    if isinstance(value, list):
        return [fill(item, captured, encode) for item in value]
    if isinstance(value, dict):
        return {key: fill(item, captured, encode) for key, item in value.items()}
    if not isinstance(value, str):
        return value

    def insert(match):
        if match[1] is None:
            return "$" + "{"
        found = evaluate(match[1].strip(), captured)
        return encode(found if isinstance(found, str) else json.dumps(found))

    alone = PLACEHOLDER.fullmatch(value)
    if alone and alone[1] is not None and encode is str:
        return evaluate(alone[1].strip(), captured)
    return PLACEHOLDER.sub(insert, value)


def text(template, captured):
    found = fill(template, captured)
    return found if isinstance(found, str) else json.dumps(found)


def evaluate(expression, captured):
    drawn = re.fullmatch(r"random[.]([a-z]+)(?:[(]([\d, ]*)[)])?", expression)
    if drawn:
        return made_up(drawn[1], [int(number) for number in (drawn[2] or "").split(",") if number.strip()])
    if expression not in captured:
        raise LookupError(f'no earlier response gave "{expression}"')
    return captured[expression]


def differs(expected, actual, path, partial=False):
    """What is wrong with a value, or None. Objects with keys that begin with "$" are matchers."""
    if isinstance(expected, dict) and any(key.startswith("$") for key in expected):
        for name, argument in expected.items():
            if name == "$partial":
                problem = differs(argument, actual, path, partial=True)
                if problem:
                    return problem
            elif not holds(name, argument, actual):
                return f"expected {path} to be {name} {json.dumps(argument)}, got {shown(actual)}"
        return None
    if isinstance(expected, list) and isinstance(actual, list):
        if len(expected) != len(actual):
            return f"expected {path} to have {len(expected)} elements, got {len(actual)}"
        pairs = [(one, other, f"{path}[{index}]") for index, (one, other) in enumerate(zip(expected, actual))]
        return next(filter(None, (differs(one, other, at, partial) for one, other, at in pairs)), None)
    if isinstance(expected, dict) and isinstance(actual, dict):
        surplus = [] if partial else [key for key in actual if key not in expected]
        if surplus:
            return f"unexpected key {surplus[0]} at {path}"
        found = ((value, actual.get(key, MISSING), f"{path}.{key}") for key, value in expected.items())
        return next(filter(None, (differs(value, there, at, partial) for value, there, at in found)), None)
    if same(expected, actual):
        return None
    return f"expected {path} to be {json.dumps(expected)}, got {shown(actual)}"


def same(one, other):
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def shown(value):
    return "nothing" if value is MISSING else json.dumps(value)[:120]


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def compared(one, other, check):
    alike = (is_number(one) and is_number(other)) or (isinstance(one, str) and isinstance(other, str))
    return alike and check(one, other)


def has_type(value, name):
    return {
        "null": value is None,
        "array": isinstance(value, list),
        "object": isinstance(value, dict),
        "string": isinstance(value, str),
        "boolean": isinstance(value, bool),
        "integer": is_number(value) and value == int(value),
        "number": is_number(value),
    }[name]


def is_sorted(order, value):
    by = order["by"] if isinstance(order, dict) else None
    keys = [item if by is None else item.get(by, MISSING) for item in value]
    if (order["order"] if isinstance(order, dict) else order) == "desc":
        keys.reverse()
    return all(compared(low, high, lambda a, b: a <= b) for low, high in zip(keys, keys[1:]))


def is_date(argument, value):
    try:
        iso = re.match(r"\d{4}-", value) is not None
        when = datetime.fromisoformat(value.replace("Z", "+00:00")) if iso else parsedate_to_datetime(value)
    except (TypeError, ValueError, AttributeError):
        return False
    if not isinstance(argument, dict):
        return argument not in ("iso", "http") or (argument == "iso") == iso
    amount, unit = re.fullmatch(r"([\d.]+)\s*(ms|s|m|h|d)", argument["within"]).groups()
    seconds = float(amount) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}[unit]
    return when.tzinfo is not None and abs((datetime.now(timezone.utc) - when).total_seconds()) <= seconds


def holds(name, argument, value):
    if name == "$absent":
        return value is MISSING
    if value is MISSING and name != "$not":
        return False
    if name == "$matches":
        pattern = argument.replace("(?<", "(?P<").replace("(?P<=", "(?<=").replace("(?P<!", "(?<!")
        return isinstance(value, str) and re.search(pattern, value, re.ASCII) is not None
    if name == "$type":
        return any(has_type(value, one) for one in (argument if isinstance(argument, list) else [argument]))
    if name == "$not":
        return differs(argument, value, "$") is not None
    if name == "$oneOf":
        return any(differs(one, value, "$") is None for one in argument)
    if name == "$all":
        return isinstance(value, list) and all(differs(argument, one, "$") is None for one in value)
    if name == "$contains":
        wanted = argument if isinstance(argument, list) else [argument]
        if isinstance(value, str):
            return all(isinstance(one, str) and one in value for one in wanted)
        return isinstance(value, list) and all(any(differs(one, item, "$") is None for item in value) for one in wanted)
    if name == "$length":
        return isinstance(value, (str, list, dict)) and differs(argument, len(value), "$") is None
    if name == "$unique":
        return isinstance(value, list) and len({json.dumps(item, sort_keys=True) for item in value}) == len(value)
    if name == "$sorted":
        return isinstance(value, list) and is_sorted(argument, value)
    if name == "$range":
        return compared(value, argument[0], lambda a, b: a >= b) and compared(value, argument[1], lambda a, b: a <= b)
    if name in ("$gt", "$gte", "$lt", "$lte"):
        checks = {"$gt": "__gt__", "$gte": "__ge__", "$lt": "__lt__", "$lte": "__le__"}
        return compared(value, argument, lambda a, b: getattr(float(a) if is_number(a) else a, checks[name])(b))
    if name == "$date":
        return is_date(argument, value)
    if name == "$literal":
        return json.dumps(argument, sort_keys=True) == json.dumps(value, sort_keys=True)
    return True  # $any; and $schema, which would need a library


def keep(body, headers, capture, captured):
    """Keeps what later requests of the user need; says what is missing, or None."""
    for name, source in capture.items():
        value = headers.get(source, MISSING) if isinstance(source, str) else body
        for step in source if isinstance(source, list) else []:
            try:
                value = value[step]
            except (LookupError, TypeError):
                value = MISSING
        if value is MISSING or value is None or isinstance(value, (list, dict)):
            return f'expected a value to keep as "{name}", found none'
        captured[name] = value
    return None


def in_path(value):
    return quote(value, safe=";,/?:@&=+$-_.!~*'()%")


def body_of(part, captured):
    """The body's bytes and the content type that goes with it."""
    if "json" in part:
        return json.dumps(fill(part["json"], captured), separators=(",", ":")).encode(), "application/json"
    if "form" in part:
        fields = {key: text(value, captured) for key, value in part["form"].items()}
        return urlencode(fields).encode(), "application/x-www-form-urlencoded"
    if "text" in part:
        return text(part["text"], captured).encode(), "text/plain; charset=utf-8"
    return None, None


class PlanUser(FastHttpUser):
    """A user of the plan: makes requests, checks every answer, keeps captures."""

    abstract = True
    think_time = constant(0)

    def on_start(self):
        self.captured = {}
        self.midway = False
        self.began = time.monotonic()
        self.started = self.first_requests()

    def on_stop(self):
        self.last_requests()

    def first_requests(self):
        return True

    def last_requests(self):
        return True

    def wait_time(self):
        if PACE["seconds"] is None:
            return self.think_time()
        if self.midway:
            return 0
        return max(0.0, PACE["seconds"] - (time.monotonic() - self.began))

    def begin(self):
        """What precedes a task. Where the requests at the start failed, they are tried once more."""
        self.began = time.monotonic()
        self.started = self.started or self.first_requests()

    def perform(self, name, method, path, **part):
        self.begin()
        self.send(name, method, path, **part)

    def send(self, name, method, path, *, query=None, headers=None, status=None, expect=None, capture=None, **part):
        """One request under a name of its own. Says whether the answer was right."""
        try:
            url = in_path(fill(path, self.captured, in_path))
            if query:
                url += ("&" if "?" in url else "?") + urlencode(
                    {key: text(value, self.captured) for key, value in query.items()}, quote_via=quote
                )
            body, content_type = body_of(part, self.captured)
            own = {key: text(value, self.captured) for key, value in (headers or {}).items()}
        except LookupError as error:
            self.environment.events.request.fire(
                request_type=method, name=name, response_time=0, response_length=0, exception=error, context={}
            )
            return False
        sent = {**HEADERS, **({"content-type": content_type} if content_type else {}), **own}
        with self.client.request(
            method, url, name=name, data=body, headers=sent, allow_redirects=False, catch_response=True
        ) as response:
            problem = self.judge(response, status, expect or {}, capture or {})
            if problem:
                response.failure(problem)
            else:
                response.success()
            return problem is None

    def judge(self, response, status, expect, capture):
        code = response.status_code
        if not code:
            return f"no response: {response.error}"
        if not (any(low <= code <= high for low, high in status) if status else code < 400):
            return f"expected another status, got {code}"
        for name, expected in expect.get("headers", {}).items():
            problem = differs(fill(expected, self.captured), response.headers.get(name, MISSING), f"header {name}")
            if problem:
                return problem
        body = None
        if "json" in expect or any(isinstance(source, list) for source in capture.values()):
            try:
                body = json.loads(response.content)
            except ValueError:
                return "expected a JSON body"
        problem = differs(fill(expect["json"], self.captured), body, "$") if "json" in expect else None
        return problem or keep(body, response.headers, capture, self.captured)


class PlanSequence(SequentialTaskSet):
    """Requests one after another. The first wrong answer ends them."""

    def on_start(self):
        self.user.begin()
        self.user.midway = True

    def step(self, name, method, path, *, last=False, **part):
        right = self.user.send(name, method, path, **part)
        if last or not right:
            self.user.midway = False
            self.interrupt(reschedule=False)


# In a phase with an arrival rate every user begins a task once in so many seconds, whatever its own wait time.
PACE = {"seconds": None}


class PlanShape(LoadTestShape):
    """The phases of the plan, one after another."""

    def tick(self):
        at = self.get_run_time()
        for phase in PHASES:
            if at < phase["seconds"]:
                if "rate" in phase:
                    first, last = phase["rate"]
                    rate = first + (last - first) * at / phase["seconds"]
                    PACE["seconds"] = phase["users"] / max(rate, 0.1)
                else:
                    PACE["seconds"] = None
                if "ramp" in phase:
                    first, last = phase["ramp"]
                    return round(first + (last - first) * at / phase["seconds"]), phase["spawn_rate"]
                return phase["users"], phase["spawn_rate"]
            at -= phase["seconds"]
        return None
`;
