-- What a partner acknowledges is found by the numbers it names, and what it does not acknowledge by itself.
CREATE INDEX interchanges_sent_group ON interchanges_sent (partner, group_number);
CREATE INDEX interchanges_sent_message ON interchanges_sent (partner, message_number) WHERE document <> '';
DROP INDEX interchanges_unanswered;
CREATE INDEX interchanges_unanswered ON interchanges_sent (partner)
  WHERE (ack = '' OR ack = 'received') AND ack_within IS NOT NULL;
CREATE INDEX interchanges_expired ON interchanges_sent (partner) WHERE ack = 'expired';
