"""Vendure as the tests' web shop: its database a copy of one that was made once, its server a process."""

from __future__ import annotations

import json
import shutil
import urllib.request
from pathlib import Path
from typing import Any

from systems.installs import HERE, PASSWORD, installed, run
from systems.server import Server

_QUIET = {"VENDURE_DISABLE_TELEMETRY": "true", "SHOP_PASSWORD": PASSWORD, "NODE_ENV": "test"}


def install() -> Path:
    return installed("vendure", _make)


def _make(place: Path) -> None:
    for path in (HERE / "vendure").iterdir():
        shutil.copy(path, place / path.name)
    run(
        "npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--omit=dev", "--ignore-scripts",
        "--loglevel=error", cwd=place,
    )  # fmt: skip
    run("node", "shop.js", "populate", place / "shop.sqlite", cwd=place, SHOP_PORT="0", **_QUIET)


class Vendure(Server):
    """One running shop. ``webhook_url`` is where its plugin posts, signed with ``secret`` (whsec_…)."""

    def __init__(self, port: int, webhook_url: str, secret: str, log_file: Path) -> None:
        super().__init__(log_file)
        self.port, self.webhook_url, self.secret = port, webhook_url, secret
        self.tokens: dict[str, str] = {}

    def start(self) -> None:
        place = install()
        self.launch(
            "node", "shop.js", "serve", place / "shop.sqlite", cwd=place, SHOP_PORT=str(self.port),
            HUB_WEBHOOK_URL=self.webhook_url, HUB_WEBHOOK_SECRET=self.secret, **_QUIET,
        )  # fmt: skip

    def answers(self) -> bool:
        return "the shop is open" in self.log()

    # -- as those who use it ---------------------------------------------------------------------------------------

    def log_in(self) -> None:
        """As the shop's administrator, for ``admin``."""
        told = self.admin(_LOG_IN, password=PASSWORD)
        assert told["__typename"] == "CurrentUser", told

    def api_key(self) -> str:
        """A key for a program."""
        # It may have the roles of who makes it; the administrator has the one that may do everything.
        told = self.admin("{ result: roles { items { id code } } }")
        mine = next(each["id"] for each in told["items"] if each["code"] == "__super_admin_role__")
        named = {"languageCode": "en", "name": "The hub"}
        return str(self.admin(_KEY, input={"roleIds": [mine], "translations": [named]})["apiKey"])

    def admin(self, query: str, **variables: Any) -> Any:
        return self._ask("admin-api", "admin", query, variables)

    def buy(self, query: str, who: str, **variables: Any) -> Any:
        """One step of a buyer; each buyer has a cart of its own."""
        return self._ask("shop-api", who, query, variables)

    def _ask(self, api: str, who: str, query: str, variables: dict[str, Any]) -> Any:
        headers = {"Content-Type": "application/json"}
        if token := self.tokens.get(who):
            headers["Authorization"] = f"Bearer {token}"
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/{api}", body, headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            self.tokens[who] = answer.headers.get("vendure-auth-token") or self.tokens.get(who, "")
            told = json.loads(answer.read())
        assert not told.get("errors"), (query, told)
        return told["data"]["result"]

    def variants(self) -> dict[str, str]:
        """Ids of what there is to buy, by SKU."""
        told = self.buy("{ result: products { items { variants { id sku } } } }", "nobody")
        return {each["sku"]: each["id"] for product in told["items"] for each in product["variants"]}

    def place_order(self, who: str, items: dict[str, int]) -> str:
        """Buy so many of each SKU, to be paid by bank transfer; gives the order's code."""
        variants = self.variants()
        for sku, quantity in items.items():
            self.buy(_ADD % _ERROR, who, id=variants[sku], quantity=quantity)
        first, _, last = who.partition(" ")
        customer = {"firstName": first, "lastName": last, "emailAddress": f"{first}.{last}@example.com".lower()}
        self.buy(_CUSTOMER % _ERROR, who, input=customer)
        self.buy(_SHIP_TO % _ERROR, who, input=address(who, "Gartenweg 3", "69001", "Lyon", "FR"))
        self.buy(_BILL_TO % _ERROR, who, input=address(who, "Werkstr. 1", "20095", "Hamburg", "DE"))
        [method, *_] = self.buy("{ result: eligibleShippingMethods { id } }", who)
        self.buy(_SHIPPING % _ERROR, who, id=[method["id"]])
        self.buy(_ARRANGE, who)
        [payment, *_] = self.buy("{ result: eligiblePaymentMethods { code } }", who)
        placed = self.buy(_PAY % _ERROR, who, input={"method": payment["code"], "metadata": {}})
        assert placed["__typename"] == "Order" and placed["state"] == "PaymentAuthorized", placed
        return str(placed["code"])

    def order(self, code: str) -> Any:
        told = self.admin(_ORDER, options={"filter": {"code": {"eq": code}}})
        [order] = told["items"]
        return order


def address(who: str, street: str, postal_code: str, city: str, country: str) -> dict[str, str]:
    return {
        "fullName": who, "streetLine1": street, "postalCode": postal_code, "city": city, "countryCode": country,
    }  # fmt: skip


_ERROR = "__typename ... on ErrorResult { message }"
_ADD = """mutation ($id: ID!, $quantity: Int!) {
  result: addItemToOrder(productVariantId: $id, quantity: $quantity) { %s }
}"""
_CUSTOMER = """mutation ($input: CreateCustomerInput!) { result: setCustomerForOrder(input: $input) { %s } }"""
_SHIP_TO = """mutation ($input: CreateAddressInput!) { result: setOrderShippingAddress(input: $input) { %s } }"""
_BILL_TO = """mutation ($input: CreateAddressInput!) { result: setOrderBillingAddress(input: $input) { %s } }"""
_SHIPPING = """mutation ($id: [ID!]!) { result: setOrderShippingMethod(shippingMethodId: $id) { %s } }"""
_ARRANGE = """mutation { result: transitionOrderToState(state: "ArrangingPayment") { __typename } }"""
_PAY = """mutation ($input: PaymentInput!) {
  result: addPaymentToOrder(input: $input) { %s ... on Order { code state } }
}"""
_LOG_IN = """mutation ($password: String!) {
  result: login(username: "superadmin", password: $password) { __typename }
}"""
_KEY = "mutation ($input: CreateApiKeyInput!) { result: createApiKey(input: $input) { apiKey } }"
_ORDER = """query ($options: OrderListOptions) { result: orders(options: $options) { items {
  id code state subTotal shipping total totalWithTax currencyCode
  taxSummary { taxRate taxBase taxTotal }
  lines { id quantity productVariant { sku } }
  fulfillments { id state trackingCode lines { orderLineId quantity } }
} } }"""
