/*
 * sms_text - counting and cutting. Parts are filled one character at a time, because an escape pair
 * or a surrogate pair that does not fit moves whole into the next part: a division would count too
 * few.
 */
#include "core/sms_text.h"

#include <string.h>

#include "base/utf8.h"
#include "core/gsm7.h"
#include "core/latin.h"

/* One encoding's count of a growing text. */
struct packing {
    int units;
    int parts; /* as they would be if the text needs more than one */
    int used;  /* of the last part */
};

struct count {
    struct packing gsm7, ucs2;
    bool is_ucs2; /* a character outside GSM-7 was seen */
};

static void
packing_add(struct packing *p, int units, int part_max)
{
    p->units += units;
    if (p->parts == 0 || p->used + units > part_max) {
        p->parts++;
        p->used = 0;
    }
    p->used += units;
}

static void
count_add(struct count *c, uint32_t code)
{
    int septets = gsm7_septets(code);
    c->is_ucs2 = c->is_ucs2 || septets == 0;
    packing_add(&c->gsm7, septets, 153);
    packing_add(&c->ucs2, code > 0xFFFF ? 2 : 1, 67);
}

static struct sms_size
count_size(const struct count *c)
{
    const struct packing *p = c->is_ucs2 ? &c->ucs2 : &c->gsm7;
    int single = c->is_ucs2 ? 70 : 160;
    return (struct sms_size){
        .encoding = c->is_ucs2 ? SMS_UCS2 : SMS_GSM7,
        .units = p->units,
        .segments = p->units == 0        ? 0
                    : p->units <= single ? 1
                                         : p->parts,
    };
}

struct sms_size
sms_text_size(const char *text)
{
    struct count c = { 0 };
    const char *end = text + strlen(text);
    for (const char *p = text; p < end;)
        count_add(&c, utf8_next(&p, end));
    return count_size(&c);
}

static bool
fits_with_dots(struct count c, int max_segments)
{
    for (int i = 0; i < 3; i++)
        count_add(&c, '.');
    return count_size(&c).segments <= max_segments;
}

static bool
is_blank(uint32_t code)
{
    return code == ' ' || code == '\n' || code == '\t' || code == '\r' || code == 0xA0;
}

/* Belongs to the letter before it: a cut in front of it would change that letter. */
static bool
is_attached(uint32_t code)
{
    return latin_is_mark(code) || code == 0x200D || (code >= 0xFE00 && code <= 0xFE0F) ||
           (code >= 0x1F3FB && code <= 0x1F3FF);
}

/* Where the dots go: behind a word, before the punctuation that ended it. */
static bool
ends_word(uint32_t code)
{
    return !is_blank(code) && (code >= 0x80 || strchr(".,;:-(", (int)code) == NULL);
}

/* Length of the longest good prefix that has room for the dots. */
static size_t
cut_find(const char *text, int max_segments)
{
    struct count c = { 0 };
    const char *end = text + strlen(text);
    size_t edge = 0, word = 0, any = 0;
    for (const char *p = text; p < end;) {
        const char *before = p;
        uint32_t code = utf8_next(&p, end);
        if (!is_attached(code))
            any = (size_t)(before - text);
        if (is_blank(code))
            edge = word;
        count_add(&c, code);
        if (!fits_with_dots(c, max_segments))
            break;
        if (ends_word(code))
            word = (size_t)(p - text);
    }
    /* A script without blanks, or one endless word: better a cut word than hardly any text. */
    return edge < any / 2 ? any : edge;
}

char *
sms_text_fit(struct arena *a, const char *text, int max_segments)
{
    if (max_segments < 1)
        return arena_strdup(a, "");
    if (sms_text_size(text).segments <= max_segments)
        return arena_strdup(a, text);
    return arena_printf(a, "%.*s...", (int)cut_find(text, max_segments), text);
}
