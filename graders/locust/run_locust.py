"""Runs Locust headless and tells what happened, one JSON object a line, on file descriptor 3.

Usage: run_locust.py SETTINGS, a JSON object: {host, locustfile, users, spawnPerSecond, runTimeMs, warmUpMs, tags,
excludeTags, index, processes, prefix}. Locust's own command line does the work; listeners on its events record every
request with three significant digits, where Locust's statistics keep two. Times are seconds since the test began.
"""

import json
import os
import sys
import time
import traceback

import gevent
import locust
import locust.main
import locust.stats
from locust.stats import StatsError

SETTINGS = json.loads(sys.argv[1])
# Locust flushes every ten seconds and not at its end: a short test would leave no history.
locust.stats.CSV_STATS_FLUSH_INTERVAL_SEC = 1
REPORT_INTERVAL_S = 1.0
PROBE_INTERVAL_S = 0.05
MAX_SAMPLES_PER_NAME = 2
MAX_SAMPLES = 20
MAX_TEXT = 2048
MAX_ERROR_CHARS = 200
MAX_NAME_CHARS = 120
MAX_HEADERS = 40
MAX_EXCEPTIONS = 20
MAX_TRACEBACK_CHARS = 4000
STOP_TIMEOUT_S = 10

out = os.fdopen(3, "w", encoding="utf-8", errors="replace")


def emit(event):
    out.write(json.dumps(event) + "\n")
    out.flush()


def rounded(ms):
    """Three significant digits, so that equal times share a bucket."""
    if ms < 10:
        return round(ms, 2)
    if ms < 100:
        return round(ms, 1)
    return round(ms) if ms < 1000 else round(ms, -1 if ms < 10000 else -2)


class Recorder:
    """What happened since it was last handed over, by second, request and outcome."""

    def __init__(self):
        self.rows = {}
        self.samples = {}
        self.exceptions = {}
        self.broken = 0
        self.start = None
        self.cpu_start = 0.0
        self.lateness = []

    def begin(self):
        self.start = time.monotonic()
        self.cpu_start = time.process_time()

    def on_request(
        self, request_type, name, response_time, response_length, exception=None, response=None, **_
    ):
        if self.start is None:
            return
        now_s = time.monotonic() - self.start
        ms = max(0.0, float(response_time or 0))
        counted = now_s - ms / 1000 >= SETTINGS["warmUpMs"] / 1000
        label = str(name)[:MAX_NAME_CHARS]
        row = self.rows.setdefault(
            (int(now_s), counted, str(request_type), label), {"ok": {}, "failed": {}, "bytes": 0}
        )
        row["bytes"] += int(response_length or 0)
        bucket = rounded(ms)
        if exception is None:
            row["ok"][bucket] = row["ok"].get(bucket, 0) + 1
            return
        answered = bool(getattr(response, "status_code", 0))
        self.broken += 0 if answered else 1
        key = (StatsError.parse_error(exception)[:MAX_ERROR_CHARS], answered, bucket)
        row["failed"][key] = row["failed"].get(key, 0) + 1
        self.keep_sample(label, ms, exception, response)

    def on_error(self, exception, tb, **_):
        message = repr(exception)[:500]
        if message not in self.exceptions and len(self.exceptions) >= MAX_EXCEPTIONS:
            return
        trace = "".join(traceback.format_exception(type(exception), exception, tb))[-MAX_TRACEBACK_CHARS:]
        known = self.exceptions.setdefault(message, {"count": 0, "message": message, "traceback": trace})
        known["count"] += 1

    def keep_sample(self, name, ms, exception, response):
        kept = self.samples.get(name, 0)
        if kept >= MAX_SAMPLES_PER_NAME or sum(self.samples.values()) >= MAX_SAMPLES:
            return
        self.samples[name] = kept + 1
        try:
            emit({"event": "sample", "name": name, "ms": ms, "error": str(exception)[:500], **exchange(response)})
        except Exception:  # whatever a client's objects lack must not stop the test
            traceback.print_exc()

    def hand_over(self):
        rows, self.rows = self.rows, {}
        broken, self.broken = self.broken, 0
        emit(
            {
                "event": "requests",
                "broken": broken,
                "rows": [
                    {
                        "second": second,
                        "counted": counted,
                        "method": method,
                        "name": name,
                        "bytes": row["bytes"],
                        "ok": list(row["ok"].items()),
                        "failed": [[*key, count] for key, count in row["failed"].items()],
                    }
                    for (second, counted, method, name), row in rows.items()
                ],
            }
        )

    def health(self):
        lateness = sorted(self.lateness)
        wall_s = max(0.001, time.monotonic() - self.start)
        return {
            "cpuRatio": (time.process_time() - self.cpu_start) / wall_s,
            "latenessP99Ms": lateness[min(len(lateness) - 1, int(len(lateness) * 0.99))] if lateness else 0,
            "durationMs": wall_s * 1000,
        }


def exchange(response):
    """The request and its answer, as far as the client's objects tell them."""
    request = getattr(response, "request", None)
    body = getattr(request, "body", None) or getattr(request, "payload", None) or ""
    told = {
        "method": str(getattr(request, "method", "") or ""),
        "url": str(getattr(request, "url", "") or getattr(response, "url", "") or ""),
        "requestHeaders": pairs(getattr(request, "headers", None)),
        "requestBody": text_of(body),
    }
    status = getattr(response, "status_code", 0)
    if not status:
        return told
    return {
        **told,
        "status": int(status),
        "headers": pairs(getattr(response, "headers", None)),
        "body": text_of(getattr(response, "content", None) or ""),
    }


def pairs(headers):
    items = list(headers.items()) if hasattr(headers, "items") else []
    return [[str(name)[:200], str(value)[:500]] for name, value in items[:MAX_HEADERS]]


def text_of(value):
    if isinstance(value, bytes):
        value = value[: 4 * MAX_TEXT].decode("utf-8", "replace")
    return value[:MAX_TEXT] if isinstance(value, str) else ""


recorder = Recorder()


def share(count, index, processes):
    """This process's part of a count, so that the parts add up to it."""
    return count // processes + (1 if index < count % processes else 0)


def take_share(environment):
    """Of several processes each runs its part of the fixed users and of the shape."""
    index, processes = SETTINGS["index"], SETTINGS["processes"]
    if processes == 1:
        return
    for user_class in list(environment.user_classes):
        if user_class.fixed_count > 0:
            user_class.fixed_count = share(user_class.fixed_count, index, processes)
            if user_class.fixed_count == 0:
                environment.user_classes.remove(user_class)
    shape = environment.shape_class
    if shape is not None:
        whole = shape.tick

        def tick():
            stage = whole()
            if stage is None:
                return None
            users, spawn_rate, *rest = stage
            return (share(users, index, processes), max(0.01, spawn_rate / processes), *rest)

        shape.tick = tick


@locust.events.init.add_listener
def on_init(environment, **_):
    if not environment.user_classes:
        return
    take_share(environment)
    if environment.shape_class is None and SETTINGS["users"] is None:
        sys.exit("The plan names no users, and the locustfile has no LoadTestShape that would.")


@locust.events.test_start.add_listener
def on_test_start(environment, **_):
    recorder.begin()
    emit({"event": "started"})
    runner = environment.runner

    def report():
        while True:
            gevent.sleep(REPORT_INTERVAL_S)
            emit({"event": "users", "atS": time.monotonic() - recorder.start, "users": runner.user_count})
            recorder.hand_over()

    def probe():
        while True:
            before = time.monotonic()
            gevent.sleep(PROBE_INTERVAL_S)
            recorder.lateness.append(max(0.0, (time.monotonic() - before - PROBE_INTERVAL_S) * 1000))

    gevent.spawn(report)
    gevent.spawn(probe)
    # Locust's own --run-time does not end a test that has a shape.
    gevent.spawn_later(SETTINGS["runTimeMs"] / 1000, runner.quit)


@locust.events.quitting.add_listener
def on_quitting(**_):
    if recorder.start is None:
        return
    recorder.hand_over()
    emit({"event": "ended", **recorder.health(), "exceptions": list(recorder.exceptions.values())})


locust.events.request.add_listener(recorder.on_request)
locust.events.user_error.add_listener(recorder.on_error)


def arguments():
    index, processes = SETTINGS["index"], SETTINGS["processes"]
    users, rate = SETTINGS["users"], SETTINGS["spawnPerSecond"]
    line = ["locust", "--headless", "--only-summary", "-f", SETTINGS["locustfile"], "--host", SETTINGS["host"]]
    line += ["--stop-timeout", str(STOP_TIMEOUT_S), "--exit-code-on-error", "0", "--loglevel", "WARNING"]
    line += ["--csv", SETTINGS["prefix"], "--csv-full-history", "--html", SETTINGS["prefix"] + ".html", "--legacy-ui"]
    if users is not None:
        line += ["-u", str(share(users, index, processes)), "-r", str(max(0.01, (rate or users) / processes))]
    for option, tags in (("--tags", SETTINGS["tags"]), ("--exclude-tags", SETTINGS["excludeTags"])):
        line += [option, *tags] if tags else []
    return line


sys.argv = arguments()
sys.path.insert(0, os.path.dirname(SETTINGS["locustfile"]))
locust.main.main()
