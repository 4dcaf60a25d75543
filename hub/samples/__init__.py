"""What a number of sample documents have in common, and the JSON Schema that says it.

``Seen`` takes documents one by one and keeps no value of theirs but where codes are asked for, so that any number of
samples takes the same memory and nothing that is somebody's own gets into a schema.
"""

from hub.samples.seen import MAX_FIELDS, Seen, TooMany
from hub.samples.writing import schema_of

__all__ = ["MAX_FIELDS", "Seen", "TooMany", "schema_of"]
