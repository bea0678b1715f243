/*
 * gsm7 - tables. Characters are written as themselves, so that a reader can check them; those that
 * look alike are told apart by the comment.
 */
#include "core/gsm7.h"

#include <string.h>

#include "base/utf8.h"
#include "core/latin.h"

/* What ASCII does not have. In ASCII's own range only the back-tick and the controls are missing.
 */
static const char beyond_ascii[] = "£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà";
static const char extension[] = "^{}\\[~]|€\f";

struct spelling {
    const char *characters; /* each of them */
    const char *spelled;
};

static const struct spelling spellings[] = {
    /* U+2018 2019 201A 201B 2032 2035, acute, back-tick, modifier letters 02B9 02BB 02BC 02BD 02CA
       02CB */
    { "‘’‚‛′‵´`ʹʻʼʽˊˋ", "'" },
    { "“”„‟″‶«»¨", "\"" },
    { "‹", "<" },
    { "›", ">" },
    /* Hyphens, dashes and minus U+2010 to 2015, 2212; the dots and shapes that begin list items. */
    { "‐‑‒–—―−⁃¬¯", "-" },
    { "•‣·∙⋅‧●○◦■□▪▫◆◇►▶▸◻◼◽◾➔➜➤", "-" },
    { "…", "..." },
    { "‥", ".." },
    { "‼", "!!" },
    { "⁉", "!?" },
    { "⁈", "?!" },
    { "⁇", "??" },
    { "¸", "," },
    { "¦‖", "|" },
    { "⁄∕÷➗", "/" },
    { "∗", "*" },
    { "˜∼≈", "~" },
    { "ˆ", "^" },
    { "†➕", "+" },
    { "➖", "-" },
    { "±", "+/-" },
    { "×✕✖", "x" },
    { "≤", "<=" },
    { "≥", ">=" },
    { "≠", "!=" },
    { "→⇒➡", "->" },
    { "←⇐⬅", "<-" },
    { "↔⇔", "<->" },
    { "©", "(c)" },
    { "®", "(R)" },
    { "™", "TM" },
    { "№", "No" },
    { "°º", "o" },
    { "ª", "a" },
    { "µ", "u" },
    { "¢", "c" },
    { "₤", "£" },
    { "¼", "1/4" },
    { "½", "1/2" },
    { "¾", "3/4" },
    { "⅓", "1/3" },
    { "⅔", "2/3" },
    { "‰", "0/00" },
    { "Œ", "OE" },
    { "œ", "oe" },
    { "Ĳ", "IJ" },
    { "ĳ", "ij" },
    { "ŉ", "'n" },
    { "Þ", "Th" },
    { "þ", "th" },
    { "ẞ", "SS" },
    { "ﬀ", "ff" },
    { "ﬁ", "fi" },
    { "ﬂ", "fl" },
    { "ﬃ", "ffi" },
    { "ﬄ", "ffl" },
    { "�", "?" }, /* U+FFFD, what broken bytes became */
};

/* Runs of code points that stand for a run of ASCII. */
struct shifted {
    uint32_t first, last;
    char ascii;
};

static const struct shifted shifted[] = {
    { 0x00B2, 0x00B3, '2' }, /* superscripts; 1 and 0 stand elsewhere */
    { 0x00B9, 0x00B9, '1' }, { 0x2070, 0x2070, '0' },
    { 0x2074, 0x2079, '4' }, { 0x2080, 0x2089, '0' }, /* subscripts */
    { 0x2460, 0x2468, '1' }, { 0x2776, 0x277E, '1' }, /* circled digits */
    { 0xFF01, 0xFF5E, '!' },                          /* full-width forms */
};

/* No letter's bytes occur inside another's in UTF-8, so a search for bytes is one for letters. */
static bool
contains(const char *characters, uint32_t code)
{
    char letter[5] = "";
    letter[utf8_put(code, letter)] = '\0';
    return code != 0 && strstr(characters, letter) != NULL;
}

int
gsm7_septets(uint32_t code)
{
    if ((code >= 'a' && code <= 'z') || code == ' ' || code == '.')
        return 1;
    if (contains(extension, code))
        return 2;
    if (code >= 0x80)
        return contains(beyond_ascii, code) ? 1 : 0;
    return (code >= ' ' && code <= '~' && code != '`') || code == '\n' || code == '\r' ? 1 : 0;
}

static bool
put_char(char c, char out[GSM7_SPELLING_MAX + 1])
{
    out[0] = c;
    out[1] = '\0';
    return true;
}

static bool
spell_shifted(uint32_t code, char out[GSM7_SPELLING_MAX + 1])
{
    for (size_t i = 0; i < COUNT_OF(shifted); i++) {
        if (code < shifted[i].first || code > shifted[i].last)
            continue;
        char c = (char)(shifted[i].ascii + (char)(code - shifted[i].first));
        if (c == '`')
            c = '\'';
        return put_char(c, out);
    }
    return false;
}

bool
gsm7_spell(uint32_t code, char out[GSM7_SPELLING_MAX + 1])
{
    if (gsm7_septets(code) > 0) {
        out[utf8_put(code, out)] = '\0';
        return true;
    }
    if (latin_is_mark(code))
        return put_char('\0', out);
    char base = latin_base(code);
    if (base != '\0')
        return put_char(base, out);
    for (size_t i = 0; i < COUNT_OF(spellings); i++) {
        if (!contains(spellings[i].characters, code))
            continue;
        memcpy(out, spellings[i].spelled, strlen(spellings[i].spelled) + 1);
        return true;
    }
    return spell_shifted(code, out);
}
