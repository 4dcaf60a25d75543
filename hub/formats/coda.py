"""CODA, the coded statement of account of the Belgian banks: a record for each statement, and back.

Balances, movements and the trailer must agree; a statement that does not is a bad record, before any of its entries is
given out. docs/reference/bank-formats.md tells what is read, tolerated and refused.
"""

from __future__ import annotations

from decimal import Decimal

from hub.formats._bank_codec import BankCodec
from hub.formats._bank_lines import ENCODING, STRICT
from hub.formats._bank_outlines import CODA, LINE_END
from hub.formats._bank_pages import PAGE
from hub.formats._coda_places import fill
from hub.formats._coda_reading import CodaReader
from hub.formats._coda_writing import written

OPTIONS = (STRICT, ENCODING, PAGE, LINE_END)
CONTENT_TYPES = ("text/x-coda", "text/plain")
EXAMPLE = (
    b"0000009032653905        REF0000001EXEMPLE SA                NICA"
    b"BEBB   00403019261 00000                                       2\r\n"
    b"12000BE68539007547034                  EUR1000000000050000060326"
    b"EXEMPLE SA                                                   060\r\n"
    b"2100010000E1                   000000000026933009032600150000110"
    b"1090933755493                                      09032600001 0\r\n"
    b"2200010000                                                     2"
    b"026-1001                                                     1 0\r\n"
    b"2300010000DE02120300000000202051               BAU MUSTER GMBH  "
    b"                                                             0 0\r\n"
    b"8000BE68539007547034                  EUR0000000000219330090326 "
    b"                                                               0\r\n"
    b"9               000005000000000000000000000000269330            "
    b"                                                               2\r\n"
    b"",
    {
        "report_type": "statement",
        "statement_id": "2026-60",
        "format": "CODA",
        "message_id": "REF0000001",
        "creation_date": "2026-03-09",
        "account": {
            "account_id": "BE68539007547034",
            "servicer": {"clearing_id": "539"},
            "bic": "NICABEBB",
            "owner": {"name": "EXEMPLE SA", "id": "00403019261"},
            "account_name": "EXEMPLE SA",
        },
        "account_currency_code": "EUR",
        "electronic_sequence_number": 60,
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
                "proprietary_code": {"code": "00150000"},
                "transactions": [
                    {
                        "amount": {"amount": Decimal("269.33"), "currency": "EUR"},
                        "end_to_end_id": "2026-1001",
                        "debtor_name": "BAU MUSTER GMBH",
                        "debtor_account": "DE02120300000000202051",
                        "creditor_reference": "090933755493",
                        "creditor_reference_type": "OGM",
                    }
                ],
            }
        ],
    },
)

CODEC = BankCodec(CodaReader, written, fill, CODA)
decode, decode_one, encode, encode_one = CODEC.decode, CODEC.decode_one, CODEC.encode, CODEC.encode_one
places, outline_of = CODEC.places, CODEC.outline_of
