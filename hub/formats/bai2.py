"""BAI2, the balance reports of American banks: a record for each account of each group, and back.

Control totals and counts of accounts, groups and files must hold: an account that does not is a bad record, and so is a
whole file. docs/reference/bank-formats.md tells what is read, tolerated and refused.
"""

from __future__ import annotations

from decimal import Decimal

from hub.formats._bai_places import fill
from hub.formats._bai_reading import BaiReader
from hub.formats._bai_writing import written
from hub.formats._bank_codec import BankCodec
from hub.formats._bank_lines import ENCODING, STRICT
from hub.formats._bank_outlines import BAI, LINE_END
from hub.formats._bank_pages import PAGE

OPTIONS = (STRICT, ENCODING, PAGE, LINE_END)
CONTENT_TYPES = ("text/x-bai2", "text/plain")
EXAMPLE = (
    b"01,BANK,CUSTOMER,260309,1800,17,,,2/\r\n02,CUSTOMER,BANK,1,260309,,USD,2/\r\n"
    b"03,123456789,USD,010,-5000,,/\r\n88,015,21933,,/\r\n16,195,26933,V,260310,,B4711,,INVOICE 2026-1001\r\n"
    b"49,43866,4/\r\n98,43866,1,6/\r\n99,43866,1,8/\r\n",
    {
        "report_type": "statement",
        "statement_id": "2026-03-09-17",
        "format": "BAI2",
        "sender_id": "BANK",
        "receiver_id": "CUSTOMER",
        "message_id": "17",
        "created_at": "2026-03-09T18:00:00",
        "group": {"receiver_id": "CUSTOMER", "originator_id": "BANK", "status_code": "1", "as_of_modifier": "2"},
        "as_of_date": "2026-03-09",
        "account": {"account_id": "123456789"},
        "account_currency_code": "USD",
        "balances": [
            {
                "type_code": "OPBD",
                "sub_type_code": "010",
                "amount": {"amount": Decimal("-50.00"), "currency": "USD"},
            },
            {
                "type_code": "CLBD",
                "sub_type_code": "015",
                "amount": {"amount": Decimal("219.33"), "currency": "USD"},
            },
        ],
        "opening_balance": {"amount": Decimal("-50.00"), "currency": "USD"},
        "closing_balance": {"amount": Decimal("219.33"), "currency": "USD"},
        "entries": [
            {
                "number": 1,
                "amount": {"amount": Decimal("269.33"), "currency": "USD"},
                "credit_debit_indicator": "CRDT",
                "status": "BOOK",
                "booking_date": "2026-03-09",
                "proprietary_code": {"code": "195", "issuer": "BAI"},
                "value_date": "2026-03-10",
                "availability": "V,260310,",
                "entry_ref": "B4711",
                "transactions": [
                    {
                        "amount": {"amount": Decimal("269.33"), "currency": "USD"},
                        "remittance_unstructured": ["INVOICE 2026-1001"],
                    }
                ],
            }
        ],
    },
)

CODEC = BankCodec(BaiReader, written, fill, BAI)
decode, decode_one, encode, encode_one = CODEC.decode, CODEC.decode_one, CODEC.encode, CODEC.encode_one
places, outline_of = CODEC.places, CODEC.outline_of
