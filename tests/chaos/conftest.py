"""The laboratory stands on what the acceptance tests start hubs with."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(1, str(Path(__file__).parent.parent / "acceptance"))
