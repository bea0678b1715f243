/* An OpenAI-compatible agent that answers from a script, or by itself in a way tests can foresee.
 */
#ifndef OMNI_LAB_AGENT_H
#define OMNI_LAB_AGENT_H

#include "request.h"

/* POST /openai/v1/chat/completions */
void agent_serve_chat(struct request *r);
/* POST /openai/v1/realtime/calls/{id}/{accept|reject|hangup|refer}; in agent_call.c */
void agent_serve_call(struct request *r);

/* POST /lab/agent */
void agent_serve_script(struct request *r);
void agent_reset(void);

#endif
