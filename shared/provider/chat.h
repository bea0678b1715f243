/*
 * chat - the language model: any server that speaks OpenAI's chat completions, without streaming
 * (PROTOCOLS 4).
 */
#ifndef OMNI_PROVIDER_CHAT_H
#define OMNI_PROVIDER_CHAT_H

#include "base/err.h"
#include "core/config.h"
#include "core/http_msg.h"

struct chat_message {
    const char *role; /* "system", "user", "assistant" */
    const char *content;
};

struct chat_ask {
    const char *model;    /* "" = OPENAI_MODEL */
    const char *base_url; /* "" = OPENAI_BASE_URL */
    const struct chat_message *messages;
    size_t n_messages;
    int max_tokens;
    const char *correlation_id;
};

struct chat_answer {
    const char *text;      /* never empty */
    int64_t prompt_tokens; /* 0 where the server does not count */
    int64_t completion_tokens;
};

/* The request; strings live in 'a'. The time-outs are the caller's to set. */
void chat_build(struct arena *a, const struct config *c, const struct chat_ask *ask,
                struct http_request *out);

/*
 * Reads the answer. Fails for everything that is no answer to a person, with e->code set:
 * "not_sent", "no_answer", "http_503", "quota" (waiting does not help), "nonsense" (no JSON, no
 * choices, empty words), "refused" (content filter or refusal), "cut" (ran into max_tokens without
 * words).
 */
bool chat_read(struct arena *a, const struct http_response *r, struct chat_answer *out,
               struct err *e) MUST_CHECK;

#endif
