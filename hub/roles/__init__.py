"""The hub in several processes: ``serve`` takes documents in, ``work`` splits and sends, ``sweep`` lets nothing stay.

They share a PostgreSQL store, in which everything is, and a broker, which only wakes. Any number of each may run, start
and end in any order; a process that finds the store, its tables or a first deploy missing waits for it.
"""
