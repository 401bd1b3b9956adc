"""Starts the URL shortener."""

import os

import uvicorn

from shortener.store import LinkStore
from shortener.web import make_app


def main() -> None:
    store = LinkStore(os.environ.get("DATA_DIR", "/data"))
    port = int(os.environ.get("PORT", "8080"))
    # uvicorn answers SIGTERM by finishing what is in flight, then runs the shutdown handler.
    uvicorn.run(make_app(store), host="0.0.0.0", port=port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
