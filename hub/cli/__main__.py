"""``python -m hub.cli``: the same program as ``o2c``."""

from __future__ import annotations

from hub.cli.app import main

main()
