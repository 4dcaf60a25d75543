"""MT940, the customer statement of SWIFT, as banks really send it: a record for each statement, or page of one.

What a statement says must add up: one that does not is a bad record, before any of its entries is given out.
docs/reference/bank-formats.md tells what is read, tolerated and refused. A file of any size takes the memory of its
largest statement, packed to about a tenth.
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
CONTENT_TYPES = ("application/vnd.swift.mt940", "text/x-mt940", "text/plain")
EXAMPLE = (
    b":20:STARTUMS\r\n:25:DE02120300000000202051\r\n:28C:60/1\r\n:60F:D260306EUR50,00\r\n"
    b":61:2603090309C269,33NTRFNONREF//E1\r\n:86:166?00GUTSCHRIFT?20EREF+2026-1001?21SVWZ+RF18539007547034"
    b"?32BAU M\r\nUSTER GMBH\r\n:62F:C260309EUR219,33\r\n-\r\n",
    {
        "report_type": "statement",
        "statement_id": "2026-60",
        "electronic_sequence_number": 60,
        "page": {"number": 1, "is_last": True},
        "format": "MT940",
        "message_id": "STARTUMS",
        "account": {"account_id": "DE02120300000000202051"},
        "account_currency_code": "EUR",
        "opening_balance": {"amount": Decimal("-50.00"), "currency": "EUR"},
        "closing_balance": {"amount": Decimal("219.33"), "currency": "EUR"},
        "balances": [
            {"type_code": "OPBD", "amount": {"amount": Decimal("-50.00"), "currency": "EUR"}, "date": "2026-03-06"},
            {"type_code": "CLBD", "amount": {"amount": Decimal("219.33"), "currency": "EUR"}, "date": "2026-03-09"},
        ],
        "entries": [
            {
                "number": 1,
                "amount": {"amount": Decimal("269.33"), "currency": "EUR"},
                "credit_debit_indicator": "CRDT",
                "status": "BOOK",
                "booking_date": "2026-03-09",
                "value_date": "2026-03-09",
                "entry_ref": "E1",
                "proprietary_code": {"code": "NTRF+166"},
                "bank_transaction_code": "PMNT/RCDT/ESCT",
                "additional_information": "GUTSCHRIFT",
                "transactions": [
                    {
                        "amount": {"amount": Decimal("269.33"), "currency": "EUR"},
                        "end_to_end_id": "2026-1001",
                        "debtor_name": "BAU MUSTER GMBH",
                        "remittance_unstructured": ["RF18539007547034"],
                        "creditor_reference": "RF18539007547034",
                        "creditor_reference_type": "SCOR",
                    }
                ],
            }
        ],
    },
)

CODEC = BankCodec(partial(MtReader, False), partial(written, is_interim=False), fill, MT)
decode, decode_one, encode, encode_one = CODEC.decode, CODEC.decode_one, CODEC.encode, CODEC.encode_one
places, outline_of = CODEC.places, CODEC.outline_of
