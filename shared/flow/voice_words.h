/*
 * voice_words - what a voice agent is told.
 */
#ifndef OMNI_FLOW_VOICE_WORDS_H
#define OMNI_FLOW_VOICE_WORDS_H

#include "base/arena.h"
#include "core/channel.h"

#define VOICE_NAME "marin"

/* The agent's own instructions ("" for none: then ours), and in which language to begin. */
const char *voice_instructions(struct arena *a, const char *own, enum language l, bool has_number);

#endif
