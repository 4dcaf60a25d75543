"""Mistakes planted among the limits of the reference project: file, what is written there, what instead, the fault."""

from planted_mistakes import ROUTES, SYSTEMS

PLANTED_LIMITS = [
    (
        SYSTEMS,
        "limits: {concurrency: 8}",
        "breaker: {failurs: 3}",
        "config/systems.yaml:23:13: error: unknown key 'failurs' in breaker of system 'erp'; did you mean 'failures'?",
    ),
    (
        SYSTEMS,
        "limits: {concurrency: 8}",
        "breaker: {ratio: 0.5}",
        "config/systems.yaml:23:20: error: breaker.ratio: expected a share from 0% to 100%, such as 20%, got '0.5'; "
        "write 50%",
    ),
    (
        SYSTEMS,
        "limits: {concurrency: 8}",
        "retry_budget: 20",
        "config/systems.yaml:23:17: error: retry_budget: expected a share from 0% to 100%, such as 20%, got '20'; "
        "write 20%",
    ),
    (
        SYSTEMS,
        "limits: {concurrency: 8}",
        "backlog: {delivries: 5}",
        "config/systems.yaml:23:13: error: unknown key 'delivries' in backlog of system 'erp'; did you mean "
        "'deliveries'?",
    ),
    (
        SYSTEMS,
        "limits: {concurrency: 8}",
        "quota: {size: 20}",
        "config/systems.yaml:23:17: error: quota.size: expected a size such as 500KB or 10MB, got '20'; write 20B",
    ),
    (
        ROUTES,
        "order: per_key",
        "quota: {bytes: 20GB}",
        "routes/orders.yaml:7:11: error: unknown key 'bytes' in quota of route 'webshop-orders'; known: messages, size",
    ),
    (
        ROUTES,
        "order: per_key",
        "quota: {}",
        "routes/orders.yaml:7:10: error: quota: expected size: or messages: or both, e.g. quota: {size: 20GB}",
    ),
    (
        ROUTES,
        "order: per_key",
        "quota: {messages: 0}",
        "routes/orders.yaml:7:21: error: quota.messages: 0 leaves room for nothing; write e.g. 1000000",
    ),
    (
        ROUTES,
        "order: per_key",
        "backlog: {received: 5}",
        "routes/orders.yaml:7:13: error: unknown key 'received' in backlog of route 'webshop-orders'; known: "
        "deliveries",
    ),
    (
        ROUTES,
        "order: per_key",
        "weight: 0",
        "routes/orders.yaml:7:11: error: weight: expected 0.01 to 1000, got 0 (1 is what a route has that says "
        "nothing)",
    ),
]
