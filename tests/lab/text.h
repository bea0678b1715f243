/* UTF-8 and the shapes text takes on the wire: JSON in pure ASCII, UTF-16 of SMS, SMS parts. */
#ifndef OMNI_LAB_TEXT_H
#define OMNI_LAB_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* The next code point of *s, moving *s behind it; a broken byte stands for itself. 0 at the end. */
uint32_t utf8_next(const char **s);
/* Characters, not bytes. */
size_t utf8_length(const char *s);
/* How many bytes the first `chars` characters of s take. */
size_t utf8_clip(const char *s, size_t chars);

/* Meta signs JSON in which every character outside ASCII is written as backslash-u with lower-case
 * hex, surrogate pairs included. The caller frees the copy. */
char *text_ascii(const char *json);
/* UTF-16BE bytes as UTF-8, which the caller frees. */
char *text_from_utf16be(const char *bytes, size_t len);
/* SMS parts the text takes: GSM 03.38 with its escapes, else UCS-2. Nothing is cut in a pair. */
unsigned sms_segments(const char *text);

#endif
