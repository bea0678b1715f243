/*
 * test_phone_parse - every spelling that one person's number comes in, and everything that is no
 * number.
 */
#include "core/phone.h"
#include "unit/unit.h"

static const char fullwidth[] = "０７８８１２３４５６";
static const char arabic_indic[] = "٠٧٨٨١٢٣٤٥٦";

struct accepted {
    const char *name;
    const char *text;
    const char *want;
};

static const struct accepted accepted[] = {
    /* One person. */
    { "local with trunk 0", "0788123456", "+250788123456" },
    { "bare mobile", "788123456", "+250788123456" },
    { "country code with blanks", "250 788 123 456", "+250788123456" },
    { "00 prefix", "00250788123456", "+250788123456" },
    { "E.164", "+250788123456", "+250788123456" },
    { "WhatsApp digits", "250788123456", "+250788123456" },
    { "hyphens", "0788-123-456", "+250788123456" },
    { "dots", "0788.123.456", "+250788123456" },
    { "brackets around the code", "(+250) 788 123 456", "+250788123456" },
    { "trunk 0 in brackets after the code", "+250 (0) 788-123-456", "+250788123456" },
    { "trunk 0 after the code", "+2500788123456", "+250788123456" },
    { "bare mobile with blanks", "788 123 456", "+250788123456" },
    { "blanks around", "  0788123456 ", "+250788123456" },
    { "00 with blanks", "00 250 788 123 456", "+250788123456" },
    { "blank behind the plus", "+ 250 788 123 456", "+250788123456" },

    /* The plan. */
    { "mobile 72", "+250721234567", "+250721234567" },
    { "mobile 73", "0731234567", "+250731234567" },
    { "mobile 77", "+250771234567", "+250771234567" },
    { "mobile 78", "+250780000000", "+250780000000" },
    { "mobile 79", "0791234567", "+250791234567" },
    { "fixed line", "+250252123456", "+250252123456" },
    { "fixed line with trunk 0", "0252123456", "+250252123456" },
    { "fixed line 28", "+250280123456", "+250280123456" },
    { "toll-free", "0800123456", "+250800123456" },
    { "premium", "+250900123456", "+250900123456" },
    { "06 keeps its 0", "06012345", "+25006012345" },
    { "06 with the code", "+25006012345", "+25006012345" },
    { "06 with 00", "0025006012345", "+25006012345" },
    { "06 with the code and no plus", "25006012345", "+25006012345" },
    { "06 with blanks", "06 01 23 45", "+25006012345" },

    /* Foreign. */
    { "foreign E.164", "+14155550100", "+14155550100" },
    { "foreign wa_id, USA", "14155550100", "+14155550100" },
    { "foreign wa_id, Kenya", "254712345678", "+254712345678" },
    { "foreign wa_id, Uganda", "256772123456", "+256772123456" },
    { "foreign wa_id, Tanzania", "255712345678", "+255712345678" },
    { "foreign wa_id, Burundi", "25779123456", "+25779123456" },
    { "foreign wa_id, DR Congo", "243812345678", "+243812345678" },
    { "foreign wa_id, Germany, 13 digits", "4915112345678", "+4915112345678" },
    { "foreign wa_id, Russia", "79161234567", "+79161234567" },
    { "foreign wa_id, Singapore, 10 digits", "6591234567", "+6591234567" },
    { "foreign wa_id, 8 digits", "29012345", "+29012345" },
    { "foreign wa_id, 15 digits", "123456789012345", "+123456789012345" },
    { "foreign with 00 and separators", "00 44 (20) 7946-0958", "+442079460958" },
    { "foreign, 7 digits", "+2901234", "+2901234" },
    { "foreign, 15 digits", "+123456789012345", "+123456789012345" },

    /* URIs and SIP headers. */
    { "tel", "tel:+250788123456", "+250788123456" },
    { "tel in capitals with separators", "TEL:+250-788-123-456", "+250788123456" },
    { "tel with parameters", "tel:+250788123456;ext=12;isub=9", "+250788123456" },
    { "tel, global with a context", "tel:+250788123456;phone-context=+254", "+250788123456" },
    { "tel, local with its context", "tel:0788123456;phone-context=+250", "+250788123456" },
    { "tel, local with a domain", "tel:0788123456;phone-context=mtn.co.rw", "+250788123456" },
    { "sip", "sip:+250788123456@sip.carrier.rw", "+250788123456" },
    { "sip with port and parameters", "sip:+250788123456@10.0.0.1:5060;user=phone",
      "+250788123456" },
    { "sips", "sips:0788123456@carrier.rw", "+250788123456" },
    { "sip with parameters of the user", "sip:+250788123456;npdi;rn=+250@carrier.rw",
      "+250788123456" },
    { "sip with a password", "sip:+250788123456:1234@carrier.rw", "+250788123456" },
    { "sip with an escaped plus", "sip:%2B250788123456@carrier.rw", "+250788123456" },
    { "sip with an escaped plus, small", "<sip:%2b14155550100@carrier.com>", "+14155550100" },
    { "sip with an IPv6 host", "sip:+250788123456@[2001:db8::1]:5060", "+250788123456" },
    { "sip with headers", "sip:+250788123456@h?subject=0789999999", "+250788123456" },
    { "From", "\"Aline\" <sip:+250788000001@sip.carrier.rw>;tag=1", "+250788000001" },
    { "From without a name", "<sip:+250788000001@sip.carrier.rw>;tag=as58f4201b", "+250788000001" },
    { "From without quotes", "Aline Uwase <sip:+250788000001@sip.carrier.rw>", "+250788000001" },
    { "From without a blank", "\"Aline\"<sip:250788000001@10.1.2.3:5060>", "+250788000001" },
    { "From, name of digits", "\"0789999999\" <sip:+250788000001@c.rw>;tag=1", "+250788000001" },
    { "From, bare name of digits", "0789999999 <sip:+250788000001@c.rw>", "+250788000001" },
    { "From, name with a comma", "\"Uwase, Aline\" <sip:+250788000001@c.rw>", "+250788000001" },
    { "From, name with quotes", "\"A \\\"Lili\\\" U\" <sip:+250788000001@c.rw>", "+250788000001" },
    { "From, name with an address", "\"x <sip:+250789999999@c.rw>\" <sip:+250788000001@c.rw>",
      "+250788000001" },
    { "From, name ends in a backslash", "\"A\\\\\" <sip:+250788000001@c.rw>", "+250788000001" },
    { "From, name in another script", "\"Алина 5\" <sip:+250788000001@c.rw>", "+250788000001" },
    { "From, empty name", "\"\" <sip:+250788000001@c.rw>", "+250788000001" },
    { "From, tel inside", "\"Aline\" <tel:+250-788-000-001>;tag=1", "+250788000001" },
    { "From, foreign digits", "<sip:14155550100@pstn.example.com>", "+14155550100" },
    { "two identities", "<sip:+250788000001@c.rw>, <tel:+250788000001>", "+250788000001" },
};

static void
test_phone_parse_accepts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(accepted); i++) {
        const struct accepted *row = &accepted[i];
        struct phone got;
        struct err e = { 0 };
        expect_true(row->name, phone_parse(row->text, "from", &got, &e));
        expect_text(row->name, got.e164, row->want);
        expect_text(row->name, e.text, "");
    }
}

/* The result is itself a spelling of the number. */
static void
test_phone_parse_is_stable(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(accepted); i++) {
        const struct accepted *row = &accepted[i];
        struct phone again;
        struct err e = { 0 };
        expect_true(row->name, phone_parse(row->want, "from", &again, &e));
        expect_text(row->name, again.e164, row->want);
    }
}

struct refused {
    const char *name;
    const char *text;
    const char *want; /* the words */
};

static const struct refused refused[] = {
    { "nothing", "", "from: empty" },
    { "blanks", "   ", "from: empty" },
    { "only separators", "( ) - .", "from: empty" },
    { "only a plus", "+", "from: empty" },
    { "withdrawn prefix 75", "+250751234567", "from: not a number of Rwanda's plan" },
    { "prefix 70", "0701234567", "from: not a number of Rwanda's plan" },
    { "prefix 71", "+250711234567", "from: not a number of Rwanda's plan" },
    { "prefix 74", "741234567", "from: not a number of Rwanda's plan" },
    { "prefix 76", "250761234567", "from: not a number of Rwanda's plan" },
    { "fixed 24", "+250242123456", "from: not a number of Rwanda's plan" },
    { "a digit too few", "+25078812345", "from: not a number of Rwanda's plan" },
    { "a digit too many", "+2507881234567", "from: not a number of Rwanda's plan" },
    { "no plus, a digit too few", "25078812345", "from: not a number of Rwanda's plan" },
    { "no plus, a digit too many", "2507881234567", "from: not a number of Rwanda's plan" },
    { "local, a digit too few", "078812345", "from: not a number of Rwanda's plan" },
    { "local, a digit too many", "07881234567", "from: not a number of Rwanda's plan" },
    { "bare, a digit too few", "78812345",
      "from: not a number of Rwanda's plan, nor one of zone 7" },
    { "bare, a digit too many", "7881234567",
      "from: not a number of Rwanda's plan, nor one of zone 7" },
    { "plus in front of the local form", "+0788123456", "from: not an international number" },
    { "plus without the code", "+788123456",
      "from: not a number of Rwanda's plan, nor one of zone 7" },
    { "two trunk zeros", "+25000788123456", "from: not a number of Rwanda's plan" },
    { "trunk 0 in front of 06", "+250006012345", "from: not a number of Rwanda's plan" },
    { "06 behind a trunk 0 that is none", "0612345678", "from: not a number of Rwanda's plan" },
    { "06, a digit too few", "0601234", "from: not a number of Rwanda's plan" },
    { "old eight digits", "08812345", "from: not a number of Rwanda's plan" },
    { "only the code", "+250", "from: not a number of Rwanda's plan" },
    { "bare fixed line", "252123456", "from: ambiguous without a leading 0 or +" },
    { "bare toll-free", "800123456", "from: ambiguous without a leading 0 or +" },
    { "foreign local form", "415 555 0100",
      "from: not a number of Rwanda's plan, and without + no foreign one" },
    { "an IPv4 address", "192.168.100.200",
      "from: not a number of Rwanda's plan, and without + no foreign one" },
    { "a date", "2026-01-31", "from: not a number of Rwanda's plan, and without + no foreign one" },
    { "bare, 7 digits", "5550100",
      "from: not a number of Rwanda's plan, and without + no foreign one" },
    { "bare, 16 digits", "1234567890123456", "from: too many digits" },
    { "foreign, 6 digits", "+290123", "from: not an international number" },
    { "foreign, 16 digits", "+1234567890123456", "from: too many digits" },
    { "zeros", "0000000000", "from: not an international number" },
    { "many digits", "00123456789012345678901234567890", "from: too many digits" },
    { "short code of 4", "8080", "from: a short code, not a phone number" },
    { "short code of 3", "112", "from: a short code, not a phone number" },
    { "short code of 6", "250078", "from: a short code, not a phone number" },
    { "short code with blanks", "80 80", "from: a short code, not a phone number" },
    { "one digit", "7", "from: a short code, not a phone number" },
    { "name", "MTN", "from: not a phone number" },
    { "name with digits", "MTN1234567", "from: not a phone number" },
    { "anonymous", "anonymous", "from: not a phone number" },
    { "anonymous URI", "sip:anonymous@anonymous.invalid", "from: not a phone number" },
    { "anonymous From", "\"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=1",
      "from: not a phone number" },
    { "anonymous, number as name", "\"+250788000001\" <sip:anonymous@anonymous.invalid>",
      "from: not a phone number" },
    { "ANONYMOUS on the keys", "+266696687", "from: the caller withholds the number" },
    { "ANONYMOUS in a From", "<sip:266696687@c.com>", "from: the caller withholds the number" },
    { "UNKNOWN on the keys, with 00", "008566696", "from: the caller withholds the number" },
    { "RESTRICTED on the keys", "+7378742833", "from: the caller withholds the number" },
    { "UNAVAILABLE on the keys", "+86282452253", "from: the caller withholds the number" },
    { "BLOCKED on the keys", "+2562533", "from: the caller withholds the number" },
    { "query behind", "+250788000000,wa_id.neq.x", "from: not a phone number" },
    { "format directives", "%s%n", "from: not a phone number" },
    { "SQL", "0788123456' OR '1'='1", "from: not a phone number" },
    { "shell", "0788123456;id", "from: not a phone number" },
    { "two numbers", "0788123456 0788123457", "from: too many digits" },
    { "two numbers with a slash", "0788123456/57", "from: not a phone number" },
    { "plus inside", "250+788123456", "from: not a phone number" },
    { "two pluses", "++250788123456", "from: not a phone number" },
    { "escaped plus and a plus", "sip:%2B+250788123456@c.rw", "from: not a phone number" },
    { "escape inside", "sip:+2507%38812345@c.rw", "from: not a phone number" },
    { "letters between", "07881234S6", "from: not a phone number" },
    { "full-width digits", fullwidth, "from: not a phone number" },
    { "Arabic-Indic digits", arabic_indic, "from: not a phone number" },
    { "no-break space", "0788\u00A0123456", "from: not a phone number" },
    { "broken UTF-8",
      "0788\xFF"
      "123456",
      "from: not a phone number" },
    { "line feed behind", "0788123456\n", "from: holds a control character" },
    { "header injection", "0788123456\r\nX-Evil: 1", "from: holds a control character" },
    { "carriage return inside", "0788\r123456", "from: holds a control character" },
    { "tab inside", "0788\t123456", "from: holds a control character" },
    { "escape character", "\x1b[31m0788123456", "from: holds a control character" },
    { "delete character", "0788123456\x7f", "from: holds a control character" },
    { "NUL ends it early",
      "07881234\0"
      "56",
      "from: not a number of Rwanda's plan" },
    { "control character in a name", "\"A\nB\" <sip:+250788000001@c.rw>",
      "from: holds a control character" },
    { "host only", "sip:192.168.100.200", "from: not a phone number" },
    { "host only, number", "sip:+250788123456", "from: not a phone number" },
    { "empty user", "sip:@carrier.rw", "from: empty" },
    { "empty tel", "tel:", "from: empty" },
    { "other scheme", "mailto:0788123456@gmail.com", "from: not a phone number" },
    { "mail address", "0788123456@gmail.com", "from: not a phone number" },
    { "no scheme in brackets", "<0788123456>", "from: not a phone number" },
    { "bracket never closed", "\"A\" <sip:+250788000001@c.rw", "from: not a phone number" },
    { "quote never closed", "\"A <sip:+250788000001@c.rw>", "from: not a phone number" },
    { "quote closed by an escape", "\"A\\\" <sip:+250788000001@c.rw>", "from: not a phone number" },
    { "name without an address", "\"0788123456\"", "from: not a phone number" },
    { "two names", "A \"B\" <sip:+250788000001@c.rw>", "from: not a phone number" },
    { "address inside a second name", "A \"<sip:+250789999999@c.rw>\" <sip:+250788000001@c.rw>",
      "from: not a phone number" },
    { "text behind the brackets", "<sip:+250788000001@c.rw> 0788123456",
      "from: not a phone number" },
    { "empty brackets", "<>", "from: not a phone number" },
    { "Kenyan local number", "tel:0722123456;phone-context=+254",
      "from: a local number of another country" },
    { "Kenyan local number in sip", "sip:0722123456;Phone-Context=+254@c.ke;user=phone",
      "from: a local number of another country" },
    { "local number of a longer code", "tel:0722123456;a=b;phone-context=+25",
      "from: a local number of another country" },
};

static void
test_phone_parse_refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        const struct refused *row = &refused[i];
        struct phone got = { .e164 = "+250788999999" };
        struct err e = { 0 };
        expect_true(row->name, !phone_parse(row->text, "from", &got, &e));
        expect_text(row->name, e.text, row->want);
        expect_true(row->name, e.kind == ERR_INVALID);
        expect_text(row->name, got.e164, "");
    }
}

static void
test_phone_parse_refuses_long_texts(void **state)
{
    (void)state;
    static char text[4097];
    struct phone got;
    struct err e = { 0 };

    memset(text, '0', sizeof text - 1);
    assert_false(phone_parse(text, "to", &got, &e));
    assert_string_equal(e.text, "to: too long for a phone number");

    (void)snprintf(text, sizeof text, "%-4096s", "+250788123456");
    assert_false(phone_parse(text, "to", &got, &e));
    assert_string_equal(e.text, "to: too long for a phone number");

    /* 512 bytes are the limit: a long display name is legal. */
    int n = snprintf(text, sizeof text, "\"%488s\" <sip:0788123456@c.rw>", "A");
    assert_int_equal(n, 512);
    assert_true(phone_parse(text, "to", &got, &e));
    assert_string_equal(got.e164, "+250788123456");
    (void)snprintf(text, sizeof text, "\"%489s\" <sip:0788123456@c.rw>", "A");
    assert_false(phone_parse(text, "to", &got, &e));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_phone_parse_accepts),
        cmocka_unit_test(test_phone_parse_is_stable),
        cmocka_unit_test(test_phone_parse_refuses),
        cmocka_unit_test(test_phone_parse_refuses_long_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
