"""Mistakes planted among the limits of the reference project: file, what is written there, what instead, the fault."""

from planted_mistakes import ROUTES, SYSTEMS

PLANTED_LIMITS = [
    (
        SYSTEMS,
        "limits: {concurrency: 8}",
        "breaker: {failurs: 3}",
        "config/systems.yaml:22:13: error: unknown key 'failurs' in breaker of system 'erp'; did you mean 'failures'?",
    ),
    (
        SYSTEMS,
        "limits: {concurrency: 8}",
        "breaker: {ratio: 0.5}",
        "config/systems.yaml:22:20: error: breaker.ratio: expected a share from 0% to 100%, such as 20%, got '0.5'; "
        "write 50%",
    ),
    (
        SYSTEMS,
        "limits: {concurrency: 8}",
        "retry_budget: 20",
        "config/systems.yaml:22:17: error: retry_budget: expected a share from 0% to 100%, such as 20%, got '20'; "
        "write 20%",
    ),
    (
        SYSTEMS,
        "limits: {concurrency: 8}",
        "backlog: {delivries: 5}",
        "config/systems.yaml:22:13: error: unknown key 'delivries' in backlog of system 'erp'; did you mean "
        "'deliveries'?",
    ),
    (
        ROUTES,
        "order: per_key",
        "weight: 0",
        "routes/orders.yaml:6:11: error: weight: expected 0.01 to 1000, got 0 (1 is what a route has that says "
        "nothing)",
    ),
]
