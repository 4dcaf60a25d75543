"""How many transformers a worker has."""

from __future__ import annotations

import pytest

from hub.roles.team import children_of_each


@pytest.mark.parametrize(
    ("processes", "cores", "children"), [(1, 1, 1), (1, 2, 1), (2, 2, 1), (1, 8, 7), (2, 8, 3), (8, 8, 1)]
)
def test_a_worker_and_its_transformers_have_a_core_each_and_there_is_one_at_least(
    processes: int, cores: int, children: int
) -> None:
    assert children_of_each(processes, cores) == children
