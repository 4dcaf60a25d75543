"""Starts localstripe on 127.0.0.1: ``python loopback.py PORT``. Its own command listens on every interface."""

from __future__ import annotations

import sys

from aiohttp import web
from localstripe.server import app

web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
