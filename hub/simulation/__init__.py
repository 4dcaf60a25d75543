"""The whole hub simulated from a seed, on one thread, without waiting: faults at every place, promises checked.

``plan`` decides what will happen, ``world`` lets it happen to the real engine, sweeper and store, ``invariants`` says
what must hold, ``shrink`` makes a failing run small. ``built_in`` has the hub's own routes, ``project_route`` takes one
of a project. The same seed gives the same run, to the byte.
"""
