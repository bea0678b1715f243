-- call_heard: $1 call id -> whether there is anything to note
SELECT call_heard($1::text) AS heard
