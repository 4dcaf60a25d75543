"""structlog without rich, which it loads where it is there, for tracebacks in colour that the hub does not write.

Rich is a third of the time that a process of the hub takes to import itself, and 5 MB in each of them. The command
line, which draws with rich, has loaded it before.
"""

from __future__ import annotations

import sys

__all__ = ["structlog"]

_is_loaded = "rich" in sys.modules
if not _is_loaded:
    sys.modules["rich"] = None  # type: ignore[assignment]

import structlog  # noqa: E402

if not _is_loaded:
    del sys.modules["rich"]
