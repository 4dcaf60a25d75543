"""o2c-hub: a declarative routing hub for order to cash.

A message is received once, stored before it is acknowledged, and moved by small steps whose results are rows:

    receive -> decode -> map -> validate -> route -> map -> encode -> deliver

Read ``transform`` in ``hub/pipeline/__init__.py`` first: it is the flow on one screen.
"""

import gc

__version__ = "0.1.0"

# Modules, files in force and documents are trees without cycles: looking for rubbish in them as often as Python does by
# itself takes a sixth of the start of a process, and a third of a check.
gc.set_threshold(50_000, 20, 20)
