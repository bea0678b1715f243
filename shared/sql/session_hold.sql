-- session_hold: $1 session, $2 hold it back or let it go on -> its status, NULL if there is none, 'refused' if it is over
SELECT session_hold($1::uuid, $2::boolean) AS status
