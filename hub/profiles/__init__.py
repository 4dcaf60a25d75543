"""Profiles of XML documents: a schema, then the rules of those who take the document (``en16931``, ``peppol-bis-3``).

``definitions`` says what profiles there are, ``library`` where their files are, ``xsd`` and ``rules`` judge by them,
``judge`` puts the verdict together. ``saxon`` is a process of its own and the only one that runs rules.
"""
