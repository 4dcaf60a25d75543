"""o2c-hub: a declarative routing hub for order to cash.

A message is received once, stored before it is acknowledged, and moved by small steps whose results are rows:

    receive -> decode -> map -> validate -> route -> map -> encode -> deliver

Read ``hub/pipeline/__init__.py`` first: it is the flow on one screen.
"""

__version__ = "0.1.0"
