-- message_replay: $1 id of a dead letter -> the new row's id, NULL when there is nothing to do
SELECT replay_dead($1::uuid) AS id
