/* UTF-8 and the shapes text takes on the wire: see text.h. The part counter is written from the
 * standard's tables alone, so that it can contradict the product's. */
#include "text.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "util.h"

uint32_t
utf8_next(const char **s)
{
    const unsigned char *p = (const unsigned char *)*s;
    if (p[0] == 0) {
        return 0;
    }
    unsigned extra = p[0] >= 0xf0 ? 3 : p[0] >= 0xe0 ? 2 : p[0] >= 0xc0 ? 1 : 0;
    uint32_t code = extra == 0 ? p[0] : p[0] & (0x3fU >> extra);
    for (unsigned i = 1; i <= extra; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            *s += 1;
            return p[0];
        }
        code = code << 6 | (p[i] & 0x3fU);
    }
    *s += extra + 1;
    return code;
}

size_t
utf8_length(const char *s)
{
    size_t n = 0;
    while (utf8_next(&s) != 0) {
        n++;
    }
    return n;
}

size_t
utf8_clip(const char *s, size_t chars)
{
    const char *p = s;
    for (size_t i = 0; i < chars && utf8_next(&p) != 0; i++) {
    }
    return (size_t)(p - s);
}

char *
text_ascii(const char *json)
{
    struct buf b = { 0 };
    buf_add(&b, "", 0);
    const char *p = json;
    for (uint32_t c = utf8_next(&p); c != 0; c = utf8_next(&p)) {
        char out[16];
        if (c < 0x80) {
            buf_char(&b, (char)c);
            continue;
        }
        if (c < 0x10000) {
            (void)snprintf(out, sizeof out, "\\u%04x", (unsigned)c);
        } else {
            unsigned rest = (unsigned)c - 0x10000;
            (void)snprintf(out, sizeof out, "\\u%04x\\u%04x", 0xd800 + (rest >> 10 & 0x3ff),
                           0xdc00 + (rest & 0x3ff));
        }
        buf_str(&b, out);
    }
    return b.data;
}

static void
utf8_add(struct buf *b, uint32_t c)
{
    if (c < 0x80) {
        buf_char(b, (char)c);
    } else if (c < 0x800) {
        buf_char(b, (char)(0xc0 | c >> 6));
        buf_char(b, (char)(0x80 | (c & 0x3f)));
    } else if (c < 0x10000) {
        buf_char(b, (char)(0xe0 | c >> 12));
        buf_char(b, (char)(0x80 | (c >> 6 & 0x3f)));
        buf_char(b, (char)(0x80 | (c & 0x3f)));
    } else {
        buf_char(b, (char)(0xf0 | c >> 18));
        buf_char(b, (char)(0x80 | (c >> 12 & 0x3f)));
        buf_char(b, (char)(0x80 | (c >> 6 & 0x3f)));
        buf_char(b, (char)(0x80 | (c & 0x3f)));
    }
}

char *
text_from_utf16be(const char *bytes, size_t len)
{
    const unsigned char *p = (const unsigned char *)bytes;
    struct buf b = { 0 };
    buf_add(&b, "", 0);
    for (size_t i = 0; i + 1 < len; i += 2) {
        uint32_t c = (uint32_t)p[i] << 8 | p[i + 1];
        if (c >= 0xd800 && c < 0xdc00 && i + 3 < len) {
            uint32_t low = (uint32_t)p[i + 2] << 8 | p[i + 3];
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
            i += 2;
        }
        utf8_add(&b, c);
    }
    return b.data;
}

/* Septets of one character in GSM 03.38: 1, 2 for the extension table, 0 for "not in it". */
static unsigned
gsm_septets(uint32_t c)
{
    static const char beyond_ascii[] = "£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà";
    if (c < 0x80) {
        bool is_extended = strchr("^{}\\[~]|\f", (int)c) != NULL;
        bool is_basic = (c >= ' ' && c != '`' && c != 0x7f) || c == '\n' || c == '\r';
        return is_extended ? 2 : is_basic ? 1 : 0;
    }
    if (c == 0x20ac) { /* the euro sign */
        return 2;
    }
    for (const char *p = beyond_ascii; *p != '\0';) {
        if (utf8_next(&p) == c) {
            return 1;
        }
    }
    return 0;
}

unsigned
sms_segments(const char *text)
{
    bool is_gsm = true;
    unsigned total = 0;
    const char *p = text;
    for (uint32_t c = utf8_next(&p); c != 0 && is_gsm; c = utf8_next(&p)) {
        is_gsm = gsm_septets(c) > 0;
    }
    unsigned single = is_gsm ? 160 : 70;
    unsigned room = is_gsm ? 153 : 67;
    unsigned parts = 1;
    unsigned used = 0;
    p = text;
    for (uint32_t c = utf8_next(&p); c != 0; c = utf8_next(&p)) {
        unsigned units = is_gsm ? gsm_septets(c) : c > 0xffff ? 2 : 1;
        total += units;
        if (used + units > room) {
            parts++;
            used = 0;
        }
        used += units;
    }
    return total <= single ? 1 : parts;
}
