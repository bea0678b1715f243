-- The threads of conversations that ended before threads_close() was there; a file of its own, so that it holds up nobody.

UPDATE conversation_threads t SET status = 'closed'
  FROM omnichannel_sessions s WHERE s.id = t.session_id AND s.status = 'closed' AND t.status <> 'closed';
