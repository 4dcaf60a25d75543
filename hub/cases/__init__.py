"""Tests beside mappings and routes: ``X.test.yaml`` beside ``X.yaml``, read with the place of everything they say.

``read_cases`` gives the cases of a file; ``rewritten`` puts other expected values into it and leaves the rest alone.
Nothing here runs a test.
"""

from hub.cases.edits import Wanted, rewritten
from hub.cases.lint import case_faults, file_faults
from hub.cases.reading import (
    SUFFIX,
    Answers,
    Case,
    Content,
    MappingCase,
    RouteCase,
    Said,
    TestFile,
    content_of,
    read_cases,
    subject_of,
    test_files,
)

__all__ = [
    "SUFFIX",
    "Answers",
    "Case",
    "Content",
    "MappingCase",
    "RouteCase",
    "Said",
    "TestFile",
    "Wanted",
    "case_faults",
    "content_of",
    "file_faults",
    "read_cases",
    "rewritten",
    "subject_of",
    "test_files",
]
