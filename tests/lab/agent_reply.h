/* What the agent says when no script tells it. */
#ifndef OMNI_LAB_AGENT_REPLY_H
#define OMNI_LAB_AGENT_REPLY_H

#include "json.h"

/* The last message of the user as the prompt has it, "" if there is none. The caller frees both. */
char *agent_last_user(struct json_object *prompt);
char *agent_own_reply(struct json_object *prompt);

#endif
