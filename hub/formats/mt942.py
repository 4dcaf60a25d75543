"""MT942, the interim transaction report of SWIFT: a record for each report. Its sums must hold, balances it has none.

What is said of mt940 holds here too. Entries are BOOK, those a bank only expects (EC, ED) PDNG.
"""

from __future__ import annotations

from decimal import Decimal
from functools import partial

from hub.formats._bank_codec import BankCodec
from hub.formats._bank_lines import ENCODING, STRICT
from hub.formats._bank_outlines import LINE_END, MT, STRUCTURE
from hub.formats._bank_pages import PAGE
from hub.formats._mt_places import fill
from hub.formats._mt_statement import MtReader
from hub.formats._mt_writing import written

OPTIONS = (STRICT, ENCODING, PAGE, STRUCTURE, LINE_END)
CONTENT_TYPES = ("application/vnd.swift.mt942", "text/x-mt942", "text/plain")
EXAMPLE = (
    b":20:INTRADAY1\r\n:25:DE02120300000000202051\r\n:28C:60/1\r\n:34F:EUR0,00\r\n:13D:2603091305+0100\r\n"
    b":61:2603090309C10,00NTRFINV7//B1\r\n:90C:1EUR10,00\r\n-\r\n",
    {
        "report_type": "intraday",
        "statement_id": "2026-60",
        "electronic_sequence_number": 60,
        "page": {"number": 1, "is_last": True},
        "format": "MT942",
        "message_id": "INTRADAY1",
        "account": {"account_id": "DE02120300000000202051"},
        "account_currency_code": "EUR",
        "floor_limits": [{"amount": {"amount": Decimal(0), "currency": "EUR"}}],
        "created_at": "2026-03-09T13:05:00+01:00",
        "summary": {"credits": {"count": 1, "sum": Decimal("10.00")}},
        "entries": [
            {
                "number": 1,
                "amount": {"amount": Decimal("10.00"), "currency": "EUR"},
                "credit_debit_indicator": "CRDT",
                "status": "BOOK",
                "booking_date": "2026-03-09",
                "value_date": "2026-03-09",
                "entry_ref": "B1",
                "proprietary_code": {"code": "NTRF"},
                "transactions": [
                    {"amount": {"amount": Decimal("10.00"), "currency": "EUR"}, "account_owner_ref": "INV7"}
                ],
            }
        ],
    },
)

CODEC = BankCodec(partial(MtReader, True), partial(written, is_interim=True), fill, MT)
decode, decode_one, encode, encode_one = CODEC.decode, CODEC.decode_one, CODEC.encode, CODEC.encode_one
places, outline_of = CODEC.places, CODEC.outline_of
