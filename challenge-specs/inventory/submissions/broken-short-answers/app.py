"""Entry point: gunicorn serves `app`."""

import os

from flask import Flask

from inventory.store import Store
from inventory.web import routes

app = Flask(__name__)
routes(app, Store(os.environ["DATABASE_URL"]))
