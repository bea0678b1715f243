/*
 * ground - a set of facts from the texts, and the question whether a point adds any. A fact is kept
 * as 64 bits of hash: a wrong yes once in some 10^13 points is less than what words can hide.
 */
#include "core/ground.h"

#include <string.h>

#include "base/str.h"
#include "core/ground_word.h"

#define FIRST_SLOTS 1024 /* a power of two */

struct ground {
    struct arena *arena;
    uint64_t *slots; /* 0 is empty */
    size_t n_slots;
    size_t n;
};

struct ground *
ground_new(struct arena *a)
{
    struct ground *g = arena_alloc(a, sizeof(*g));

    g->arena = a;
    g->n_slots = FIRST_SLOTS;
    g->slots = arena_array(a, g->n_slots, sizeof(*g->slots));
    return g;
}

static uint64_t
mix(uint64_t h)
{
    h = (h ^ (h >> 33)) * UINT64_C(0xff51afd7ed558ccd);
    h = (h ^ (h >> 33)) * UINT64_C(0xc4ceb9fe1a85ec53);
    h ^= h >> 33;
    return h != 0 ? h : UINT64_C(1);
}

static uint64_t
number_fact(uint64_t milli)
{
    return mix(milli ^ UINT64_C(0x6e756d6265720000));
}

static uint64_t
date_fact(int date)
{
    return mix((uint64_t)date ^ UINT64_C(0x6461746500000000));
}

static uint64_t
word_fact(const char *word)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (; *word != '\0'; word++)
        h = (h ^ (unsigned char)*word) * UINT64_C(0x100000001b3);
    return mix(h);
}

static size_t
slot_of(const struct ground *g, uint64_t fact)
{
    size_t i = fact & (g->n_slots - 1);

    while (g->slots[i] != 0 && g->slots[i] != fact)
        i = (i + 1) & (g->n_slots - 1);
    return i;
}

static bool
has_fact(const struct ground *g, uint64_t fact)
{
    return g->slots[slot_of(g, fact)] == fact;
}

static void
add_fact(struct ground *g, uint64_t fact)
{
    if (g->n * 2 >= g->n_slots) {
        struct ground old = *g;

        g->n_slots *= 2;
        g->slots = arena_array(g->arena, g->n_slots, sizeof(*g->slots));
        for (size_t i = 0; i < old.n_slots; i++) {
            if (old.slots[i] != 0)
                g->slots[slot_of(g, old.slots[i])] = old.slots[i];
        }
    }
    if (!has_fact(g, fact)) {
        g->slots[slot_of(g, fact)] = fact;
        g->n++;
    }
}

/* One pass over a text: as a source it leaves its facts, as a point it is checked against them. */
struct pass {
    struct ground *into;       /* NULL for a point */
    const struct ground *from; /* NULL for a source */
    bool holds;
    /* The number that is being read; in thousandths. */
    bool open;
    bool has_digits;
    uint64_t total;   /* behind its last thousand or million */
    uint64_t current; /* since then */
    uint64_t times;   /* of a word that multiplies what follows; 1 for none */
    uint64_t tens;    /* the same, of "mirongo" and "mia": for the next value alone; 1 for none */
    uint64_t room;    /* a value below this may be added; 0 for any */
};

static void
say_number(struct pass *p, uint64_t milli, bool in_digits)
{
    if (p->into != NULL)
        add_fact(p->into, number_fact(milli));
    else if ((in_digits || milli >= 10000) && !has_fact(p->from, number_fact(milli)))
        p->holds = false; /* "one" and its kin are words like others */
}

/* The number is over. */
static void
close_number(struct pass *p)
{
    uint64_t value = p->current;

    if (!p->open)
        return;
    if (value == 0 && !p->has_digits)
        value = p->times > 1 || p->tens > 1 ? 1000 : 0;
    value *= p->tens;
    if (p->total + value * p->times > 0 || p->has_digits)
        say_number(p, p->total + value * p->times, p->has_digits);
    p->open = false;
    p->has_digits = false;
    p->total = 0;
    p->current = 0;
    p->times = 1;
    p->tens = 1;
    p->room = 0;
}

static void
add_value(struct pass *p, uint64_t value)
{
    uint64_t milli = value * 1000;

    if (p->tens > 1) {
        p->current += milli * p->tens;
        p->room = p->tens * 1000;
        p->tens = 1;
    } else if (p->current % 100000 == 4000 && value == 20) { /* quatre-vingts */
        p->current += 76000;
        p->room = 20000;
    } else {
        if (p->open && (p->has_digits || (p->room > 0 && milli >= p->room)))
            close_number(p);
        p->current += milli;
        p->room = value == 60 ? 20000 : value >= 100 ? milli : value >= 20 ? 10000 : 1000;
    }
    p->open = true;
}

static void
multiply_behind(struct pass *p, uint64_t by)
{
    if (p->current == 0)
        p->current = 1000;
    if (by == 100) {
        p->current = p->current / 100000 * 100000 + p->current % 100000 * by;
        p->room = 100000;
    } else {
        p->total += p->current * by;
        p->current = 0;
        p->room = by * 1000;
        if (p->has_digits) /* "250 thousand" is complete */
            close_number(p);
    }
    p->open = true;
}

static void
multiply_before(struct pass *p, uint64_t by)
{
    if (by < 1000) {
        if (p->times > 1 && p->current > 0 && p->current < by * 1000) { /* "elfu mbili mia tano" */
            p->total += p->current * p->times;
            p->current = 0;
            p->times = 1;
            p->room = 0;
        }
        p->tens = by;
        p->open = true;
        return;
    }
    if (p->has_digits || (p->open && p->times == 1)) {
        close_number(p); /* "2 elfu" are two numbers */
    } else if (p->open) {
        p->total += p->current * p->times; /* "laki mbili na elfu hamsini" */
        p->current = 0;
    }
    p->times = by;
    p->room = 0;
    p->open = true;
}

static void
take_digits(struct pass *p, const struct ground_token *t)
{
    if (p->open && (p->has_digits || p->current > 0))
        close_number(p);
    p->open = true;
    p->has_digits = true;
    p->current = t->milli;
    if (p->into != NULL && t->joined != t->milli)
        add_fact(p->into, number_fact(t->joined));
}

/* True when the word belongs to a number. */
static bool
take_number_word(struct pass *p, const struct ground_token *t)
{
    int64_t value = 0;

    switch (ground_number_word(t->word, &value)) {
    case NUMBER_VALUE:
        add_value(p, (uint64_t)value);
        return true;
    case NUMBER_BEHIND:
        if (str_eq(t->word, "k") && !p->has_digits)
            return false;
        multiply_behind(p, (uint64_t)value);
        return true;
    case NUMBER_BEFORE:
        multiply_before(p, (uint64_t)value);
        return true;
    case NUMBER_AND:
        if (p->has_digits)
            close_number(p);
        return true;
    case NUMBER_NONE:
        break;
    }
    return false;
}

/* Words of ours and of everyday that have a capital and name nobody. */
static bool
is_no_name(const char *word)
{
    static const char *const words[] = { "easymo", "whatsapp", "sms", "rwf", "frw",
                                         "ok",     "am",       "pm",  "tv",  "id" };

    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (str_eq(word, words[i]))
            return true;
    }
    return word[0] == '\0' || word[1] == '\0';
}

static void
say_date(struct pass *p, int date)
{
    if (p->into != NULL)
        add_fact(p->into, date_fact(date));
    else if (!has_fact(p->from, date_fact(date)))
        p->holds = false;
}

static void
take_word(struct pass *p, const struct ground_token *t, const char *before)
{
    bool is_common;
    int date = ground_date_word(t->word, &is_common);

    if (str_eq(before, "wa") && ground_rw_day(t->word) > 0 && p->into != NULL)
        say_date(p, ground_rw_day(t->word));
    if (p->into != NULL)
        add_fact(p->into, word_fact(t->word));
    if (date != 0 && (!is_common || p->into != NULL || (t->is_capital && !t->opens)))
        say_date(p, date);
    else if (p->from != NULL && t->is_capital && !t->opens && !is_no_name(t->word) &&
             !has_fact(p->from, word_fact(t->word)))
        p->holds = false;
}

static void
run(struct pass *p, const char *text)
{
    struct ground_text t = ground_text_of(text);
    struct ground_token token;
    char before[GROUND_WORD_MAX] = "";

    for (ground_next(&t, &token); token.kind != GROUND_END; ground_next(&t, &token)) {
        if (token.kind == GROUND_NUMBER) {
            take_digits(p, &token);
        } else {
            if (!take_number_word(p, &token)) {
                if (p->has_digits && str_eq(token.word, "m") && p->into != NULL)
                    add_fact(p->into, number_fact(p->current * 1000000));
                close_number(p);
            }
            take_word(p, &token, before);
        }
        memcpy(before, token.word, sizeof(before));
    }
    close_number(p);
}

void
ground_add(struct ground *g, const char *text)
{
    struct pass p = { .into = g, .times = 1, .tens = 1 };

    run(&p, text);
}

bool
ground_holds(const struct ground *g, const char *point)
{
    struct pass p = { .from = g, .holds = true, .times = 1, .tens = 1 };

    run(&p, point);
    return p.holds;
}
