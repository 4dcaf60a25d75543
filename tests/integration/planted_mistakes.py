"""Mistakes planted in the reference project, one a row: file, what is written there, what instead, the one fault."""

HUB, SYSTEMS, ROUTES = "config/hub.yaml", "config/systems.yaml", "routes/orders.yaml"
DEMO = "config/environments/demo.yaml"
SHOPIFY = "connectors/presets/shopify.yaml"
CRM = "mappings/orders/order-to-crm.yaml"

PLANTED = [
    (
        HUB,
        "vat_id: DE123456788",
        "vat: DE123456788",
        "config/hub.yaml:13:8: error: company: vat: unknown field; did you mean 'vat_id'?",
    ),
    (
        HUB,
        "4012345000009",
        "4012345000008",
        "config/hub.yaml:12:12: error: company: identifiers[0].id: seen 4012345000008; expected a GLN: 13 "
        "digits, the last one a check digit",
    ),
    (
        HUB,
        "country_code: DE",
        "country_code: Germany",
        "config/hub.yaml:18:19: error: company: postal_address.country_code: seen Germany; expected two "
        "capital letters such as DE",
    ),
    (
        HUB,
        "time_zone: Europe/Berlin",
        "timezone: Europe/Berlin",
        "config/hub.yaml:6:1: error: unknown key 'timezone' in config/hub.yaml; did you mean 'time_zone'?",
    ),
    (
        HUB,
        "raw: 90d",
        "raw: 90 days",
        "config/hub.yaml:20:18: error: retention.raw: expected a duration such as 10s, 15m, 24h or 7d, got '90 days'",
    ),
    (
        SYSTEMS,
        "preset: shopify",
        "preset: shoppify",
        "config/systems.yaml:4:11: error: unknown preset 'shoppify'; did you mean 'shopify'?",
    ),
    (
        SYSTEMS,
        "connector: http",
        "connector: htp",
        "config/systems.yaml:16:14: error: unknown connector 'htp'; did you mean 'http'?",
    ),
    (
        SYSTEMS,
        "connector: file",
        "conector: file",
        "config/systems.yaml:9:3: error: unknown key 'conector' in system 'partner-files'; did you mean 'connector'?",
    ),
    (
        SYSTEMS,
        "  connector: file\n",
        "",
        "config/systems.yaml:8:1: error: system 'partner-files' says neither connector: nor preset:; write one "
        "of them (connectors: file, http, sftp, soap, webhook)",
    ),
    (
        SYSTEMS,
        "[secret://env/SHOP_HMAC]",
        "[hunter2]",
        "config/systems.yaml:6:22: error: verify.secrets[0]: a secret written out; write secret://env/NAME "
        "instead (or secret://file/NAME)",
    ),
    (
        SYSTEMS,
        "[secret://env/SHOP_HMAC]",
        "[secret://env/]",
        "config/systems.yaml:6:22: error: verify.secrets[0]: not a secret reference; write secret://env/NAME "
        "or secret://file/NAME",
    ),
    (
        SYSTEMS,
        "[secret://env/SHOP_HMAC]",
        "[${SHOP_HMAC}]",
        "config/systems.yaml:6:23: error: not YAML: expected ',' or ']', but got '{' while parsing a flow "
        "sequence; check the indentation and quote text that holds special characters",
    ),
    (
        SYSTEMS,
        "  verify: {secrets: [secret://env/SHOP_HMAC]}\n",
        "",
        "config/systems.yaml:3:1: error: verify.secrets is missing: list the source's secret, secrets: "
        "[secret://env/NAME]",
    ),
    (
        SYSTEMS,
        "token: secret://env/ERP_TOKEN",
        "token: hunter2",
        "config/systems.yaml:20:31: error: auth.token: a secret written out; write secret://env/NAME instead "
        "(or secret://file/NAME)",
    ),
    (
        SYSTEMS,
        "type: bearer",
        "type: barer",
        "config/systems.yaml:20:16: error: auth.type: expected none, basic, key, bearer, oauth2 or hmac, got "
        "'barer'; did you mean 'bearer'?",
    ),
    (
        SYSTEMS,
        "connect: 5s",
        "connect: 5",
        "config/systems.yaml:22:23: error: timeouts.connect: expected a duration such as 10s, 15m, 24h or 7d, "
        "got '5'; write 5s",
    ),
    (
        SYSTEMS,
        "connect: 5s",
        "conect: 5s",
        "config/systems.yaml:22:14: error: unknown key 'conect' in timeouts of system 'erp'; did you mean 'connect'?",
    ),
    (
        SYSTEMS,
        "concurrency: 8",
        "concurrency: many",
        "config/systems.yaml:23:25: error: limits.concurrency: expected a whole number, got 'many'",
    ),
    (
        SYSTEMS,
        "mode: native",
        "mode: natve",
        "config/systems.yaml:21:23: error: idempotency.mode: expected native, lookup or none, got 'natve'; did "
        "you mean 'native'?",
    ),
    (
        SYSTEMS,
        "base_url: http://127.0.0.1:8501",
        "base_url: 127.0.0.1:8501",
        "config/systems.yaml:18:13: error: base_url: expected an address such as https://host.example, got "
        "'127.0.0.1:8501'",
    ),
    (
        SYSTEMS,
        "base_url: http://127.0.0.1:8501",
        "base_url: http://me:hunter2@127.0.0.1",
        "config/systems.yaml:18:13: error: base_url: the address holds a password; write the whole address as "
        "secret://env/NAME or secret://file/NAME",
    ),
    (
        SYSTEMS,
        "  base_url: http://127.0.0.1:8501\n",
        "",
        "config/systems.yaml:15:1: error: base_url is missing in system 'erp': where the system is; a path in "
        "it comes before path:",
    ),
    (
        SYSTEMS,
        "format: csv",
        "format: cvs",
        "config/systems.yaml:13:11: error: format: unknown format 'cvs'; did you mean 'csv'?",
    ),
    (
        SYSTEMS,
        "  root: data/files\n",
        "",
        "config/systems.yaml:8:1: error: root is missing in system 'partner-files': the folder that all others "
        "are in; relative to where the hub is started",
    ),
    (
        SYSTEMS,
        "webshop:\n",
        "webshop: {\n",
        "config/systems.yaml:5:14: error: not YAML: expected ',' or '}', but got ':' while parsing a flow "
        "mapping that opens in line 3; check the indentation and quote text that holds special characters",
    ),
    (
        SYSTEMS,
        "crm:\n",
        "wms:\n",
        "config/systems.yaml:33:1: error: the key 'wms' stands twice; the first is in line 26",
    ),
    (
        SYSTEMS,
        "path: /orders",
        "path: /orders\n  success: status = 200",
        "config/systems.yaml:38:19: error: this is not an expression: 'status = 200'; write == to compare",
    ),
    (
        SYSTEMS,
        "path: /orders",
        "path: /orders\n  success: statu == 200",
        "config/systems.yaml:38:12: error: unknown name 'statu'; did you mean 'status'?",
    ),
    (
        SYSTEMS,
        "path: /orders",
        "\tpath: /orders",
        "config/systems.yaml:37:3: error: a tab in the indentation; YAML wants spaces: write two spaces",
    ),
    (
        SHOPIFY,
        "connector: webhook",
        "connector: webhok",
        "connectors/presets/shopify.yaml:5:12: error: unknown connector 'webhok'; did you mean 'webhook'?",
    ),
    (
        ROUTES,
        "system: webshop,",
        "system: webshp,",
        "routes/orders.yaml:5:18: error: unknown system 'webshp'; did you mean 'webshop'?",
    ),
    (
        ROUTES,
        "event: orders/create",
        "evnt: orders/create",
        "routes/orders.yaml:5:27: error: unknown key 'evnt' in from of route 'webshop-orders'; did you mean 'event'?",
    ),
    (
        ROUTES,
        "system: webshop, event: orders/create",
        "system: crm",
        "routes/orders.yaml:5:18: error: nothing comes from system 'crm': it has neither verify: nor fetch:",
    ),
    (
        ROUTES,
        "map: shopify-order ",
        "map: shopify-ordr ",
        "routes/orders.yaml:6:8: error: unknown mapping 'shopify-ordr'; did you mean 'shopify-order'?",
    ),
    (
        ROUTES,
        "map: shopify-order ",
        "map: order-to-erp ",
        "routes/orders.yaml:6:8: error: map: 'order-to-erp' gives erp/sales-order; a route's map gives a "
        "canonical document (target: schema: canonical/…)",
    ),
    (
        ROUTES,
        "has(src.delivery_location)",
        "has(src.delivery_locaton)",
        "routes/orders.yaml:10:69: error: src has no field 'delivery_locaton'; did you mean 'delivery_location'?",
    ),
    (
        ROUTES,
        "system: wms, map: order-to-fulfilment",
        "system: wms, map: csv-order",
        "routes/orders.yaml:10:26: error: map: 'csv-order' takes partner-files/order, and this route carries "
        "canonical/order",
    ),
    (
        ROUTES,
        "reply: {map: erp-order-reply}",
        "reply: {map: order-to-erp}",
        "routes/orders.yaml:9:53: error: reply: 'order-to-erp' gives erp/sales-order; an answer becomes a "
        "canonical document",
    ),
    (
        ROUTES,
        "reply: {map: erp-order-reply}",
        "reply: {map: erp-orders-reply}",
        "routes/orders.yaml:9:53: error: unknown mapping 'erp-orders-reply'; did you mean 'erp-order-reply'?",
    ),
    (
        ROUTES,
        "system: wms,",
        "system: webshop,",
        "routes/orders.yaml:10:16: error: nothing can be sent to system 'webshop': the connector 'webhook' only "
        "receives",
    ),
    (
        ROUTES,
        "system: wms,",
        "system: erp,",
        "routes/orders.yaml:10:7: error: two targets are called 'erp', the first in line 9; give each its own id:",
    ),
    (
        ROUTES,
        "after: erp",
        "after: epr",
        "routes/orders.yaml:10:54: error: after: no target 'epr' in this route; did you mean 'erp'?",
    ),
    (
        ROUTES,
        "after: erp",
        "after: wms",
        "routes/orders.yaml:10:54: error: after: wms waits for wms; none could ever be sent",
    ),
    (
        ROUTES,
        "reply: {map: erp-order-reply}}",
        "reply: {map: erp-order-reply}, after: wms}",
        "routes/orders.yaml:9:78: error: after: erp waits for wms waits for erp; none could ever be sent",
    ),
    (
        ROUTES,
        "on_error: skip",
        "after: wms",
        "routes/orders.yaml:11:47: error: after: 'wms' is sent only where has(src.delivery_location); give "
        "'crm' the same when:",
    ),
    (
        ROUTES,
        "when: has(src.delivery_location)",
        "when: has(scr.delivery_location)",
        "routes/orders.yaml:10:69: error: unknown name 'scr'; did you mean 'src'?",
    ),
    (
        ROUTES,
        "when: has(src.delivery_location)",
        "when: has(src.delivery_location",
        "routes/orders.yaml:10:68: error: this is not an expression: 'has(src.delivery_location'; a comma, ' #' "
        "or ': ' ends an unquoted expression: quote it",
    ),
    (
        ROUTES,
        "when: has(src.delivery_location)",
        "when: import os",
        "routes/orders.yaml:10:65: error: this is not an expression: 'import os'; literal text is 'x' in quotes",
    ),
    (
        ROUTES,
        "on_error: dead_letter",
        "on_error: block",
        "routes/orders.yaml:13:13: error: on_error: expected dead_letter, block_key, skip or stop, got "
        "'block'; did you mean 'block_key'?",
    ),
    (
        ROUTES,
        "map: csv-order\n",
        "map: csv-order\n  order: none\n  key: src.order_id\n",
        "routes/orders.yaml:20:8: error: key: keeps an order, and the route says order: none; take one of them out",
    ),
    (
        ROUTES,
        "map: csv-order\n",
        "map: csv-order\n  order: none\n  on_error: block_key\n",
        "routes/orders.yaml:20:13: error: on_error: block_key needs order: per_key; here it is none",
    ),
    (
        ROUTES,
        "order: per_key",
        "steps: []",
        "routes/orders.yaml:7:3: error: 'steps' is not in this version; take the key out",
    ),
    (
        ROUTES,
        "attempts: 8",
        "attempts: 0",
        "routes/orders.yaml:12:21: error: retry.attempts: expected 1 to 1000, got 0 (1 means no second try)",
    ),
    (
        ROUTES,
        "route: partner-orders",
        "route: webshop-orders",
        "routes/orders.yaml:15:10: error: there is a route 'webshop-orders' already, at routes/orders.yaml:3; "
        "rename one of them",
    ),
    (
        ROUTES,
        "from: {system: partner-files}",
        "from: {system: webshop}",
        "routes/orders.yaml:17:9: error: two routes take documents from 'webshop', this and route "
        "'webshop-orders' (routes/orders.yaml:3); each must say its event:",
    ),
    (
        ROUTES,
        "from: {system: partner-files}",
        "from: {system: webshop, event: [x, orders/create]}",
        "routes/orders.yaml:17:34: error: route 'webshop-orders' (routes/orders.yaml:3) already takes "
        "'orders/create' from 'webshop'; one event goes to one route",
    ),
    (
        ROUTES,
        "from: {system: partner-files}",
        "from: {system: partner-files, event: order}",
        "routes/orders.yaml:17:40: error: system 'partner-files' does not say where the event's name is; give "
        "it event: in config/systems.yaml, or take event: out here",
    ),
    (
        ROUTES,
        "from: {system: partner-files}",
        "from: {system: partner-files}\n  validate: sync",
        "routes/orders.yaml:18:13: error: validate: sync answers who posts, and 'partner-files' posts nothing; "
        "take it out",
    ),
    (
        CRM,
        "mapping: order-to-crm",
        "mapping: order-to-cmr",
        "mappings/orders/order-to-crm.yaml:2:10: error: the mapping is called 'order-to-cmr' and its file "
        "'order-to-crm'; give both the same name",
    ),
    (
        DEMO,
        "erp:",
        "epr:",
        "config/environments/demo.yaml:4:3: error: unknown system 'epr' in this environment; did you mean "
        "'erp'? (a new system needs connector: or preset:)",
    ),
]
