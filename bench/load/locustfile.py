"""What the other generators send, for Locust: two tasks, nine to one, status and body looked at."""
import os

from locust import FastHttpUser, HttpUser, constant_throughput, constant, task

PER_USER = float(os.environ.get("PER_USER", "0"))


class Tasks:
    wait_time = constant_throughput(PER_USER) if PER_USER > 0 else constant(0)

    @task(9)
    def read(self):
        self.client.get("/", name="read")

    @task(1)
    def look(self):
        with self.client.get("/list", name="look", catch_response=True) as response:
            if response.status_code != 200 or response.json() != {"ok": True}:
                response.failure("not what was expected")


if os.environ.get("KIND") == "http":

    class Plain(Tasks, HttpUser):
        pass

else:

    class Fast(Tasks, FastHttpUser):
        pass
