import os

import psycopg
from flask import Flask, jsonify

# A PostgreSQL of your own; without one, keep your state in a file below DATA_DIR.
DATABASE_URL = os.environ.get("DATABASE_URL")

app = Flask(__name__)


@app.get("/health")
def health():
    if DATABASE_URL:
        with psycopg.connect(DATABASE_URL) as db:
            db.execute("SELECT 1")
    return jsonify(status="ok")


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=int(os.environ.get("PORT", "8080")))
