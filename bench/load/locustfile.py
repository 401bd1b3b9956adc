"""What the other generators send, for Locust: two tasks, nine to one, status and body looked at."""

import os

from locust import FastHttpUser, HttpUser, constant, constant_throughput

PER_USER = float(os.environ.get("PER_USER", "0"))
WAIT = constant_throughput(PER_USER) if PER_USER > 0 else constant(0)


def read(user):
    user.client.get("/", name="read")


def look(user):
    with user.client.get("/list", name="look", catch_response=True) as response:
        if response.status_code != 200 or response.json() != {"ok": True}:
            response.failure("not what was expected")


if os.environ.get("KIND") == "http":

    class Plain(HttpUser):
        wait_time = WAIT
        tasks = {read: 9, look: 1}

else:

    class Fast(FastHttpUser):
        wait_time = WAIT
        tasks = {read: 9, look: 1}
