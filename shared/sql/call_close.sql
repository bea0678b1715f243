-- call_close: $1 longest call in seconds, $2 longest silence of its agent, $3 seconds to wait for a text -> closed
SELECT close_calls($1::int, $2::int, $3::int) AS closed
