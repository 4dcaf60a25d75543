-- Several receipts of one fetched thing, such as the files of a zip, which is filed away when all of them have ended.
CREATE INDEX receipts_by_reference ON receipts (source, reference) WHERE reference <> '';
