-- Dead letters are listed and sent again by hand, also where the log has grown.

CREATE INDEX messages_dead ON message_delivery_log (created_at) WHERE status = 'dead';
CREATE INDEX messages_replayed ON message_delivery_log (replay_of) WHERE replay_of IS NOT NULL;
