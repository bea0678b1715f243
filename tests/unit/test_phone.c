/*
 * test_phone - what is asked about a number: may it be answered, billed, shown. How one is read is
 * in test_phone_parse.c.
 */
#include "core/phone.h"
#include "unit/unit.h"

struct asked {
    const char *name;
    const char *text;
    bool want;
};

static void
test_phone_is_service_sender(void **state)
{
    (void)state;
    static const struct asked rows[] = {
        { "short code of 3", "112", true },
        { "short code of 4", "8080", true },
        { "short code of 6", "123456", true },
        { "short code with a plus", "+8080", true },
        { "name", "MTN", true },
        { "name with digits", "M2U", true },
        { "long name", "AirtelMoney", true },
        { "name with a number in it", "Info 0788123456", true },
        { "name in another script", "МТН", true },
        { "short code as URI", "tel:8080", true },
        { "person, E.164", "+250788123456", false },
        { "person, local", "0788 123 456", false },
        { "person, digits", "250788123456", false },
        { "person as URI", "tel:+250788123456", false },
        { "foreign person", "+14155550100", false },
        { "06 number", "06012345", false },
        { "7 digits", "5550100", false },
        { "two digits", "12", false },
        { "nothing", "", false },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        expect_true(rows[i].name, phone_is_service_sender(rows[i].text) == rows[i].want);
}

static void
test_phone_is_rw_mobile(void **state)
{
    (void)state;
    static const struct asked rows[] = {
        { "72", "+250721234567", true },
        { "73", "+250731234567", true },
        { "77", "+250771234567", true },
        { "78", "+250781234567", true },
        { "79", "+250791234567", true },
        { "75", "+250751234567", false },
        { "short", "+25078123456", false },
        { "long", "+2507812345678", false },
        { "fixed", "+250252123456", false },
        { "06", "+25006012345", false },
        { "toll-free", "+250800123456", false },
        { "foreign", "+14155550100", false },
        { "foreign with the same tail", "+254781234567", false },
        { "none", "", false },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct phone p = { 0 };
        (void)snprintf(p.e164, sizeof p.e164, "%s", rows[i].text);
        expect_true(rows[i].name, phone_is_rw_mobile(&p) == rows[i].want);
    }
}

static void
test_phone_sms_allowed(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *e164;
        const char *prefixes;
        bool want;
    } rows[] = {
        { "mobile", "+250788123456", "+250", true },
        { "fixed line gets none", "+250252123456", "+250", false },
        { "06 gets none", "+25006012345", "+250", false },
        { "premium gets none", "+250900123456", "+250", false },
        { "foreign, not listed", "+256772123456", "+250", false },
        { "foreign, listed second", "+256772123456", "+250,+256", true },
        { "listed with blanks", "+256772123456", " +250 , +256 ", true },
        { "listed without a plus", "+256772123456", "250,256", true },
        { "one operator listed", "+250788123456", "+25078", true },
        { "another operator listed", "+250721234567", "+25078", false },
        { "whole number listed", "+14155550100", "+14155550100", true },
        { "prefix longer than the number", "+1415555", "+14155550100", false },
        { "prefix longer than any number", "+1415555", "+1415555010000000000000", false },
        { "empty list", "+250788123456", "", false },
        { "empty items", "+250788123456", ",,", false },
        { "a plus alone allows nothing", "+250788123456", "+", false },
        { "a star allows nothing", "+250788123456", "*", false },
        { "word allows nothing", "+250788123456", "2x50", false },
        { "trailing comma", "+250788123456", "+256,+250,", true },
        { "no number", "", "+250", false },
        { "prefix that fits inside only", "+1250788123", "+250", false },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct phone p = { 0 };
        (void)snprintf(p.e164, sizeof p.e164, "%s", rows[i].e164);
        expect_true(rows[i].name, phone_sms_allowed(&p, rows[i].prefixes) == rows[i].want);
    }
}

static void
test_phone_digits(void **state)
{
    (void)state;
    const struct phone person = { .e164 = "+250788123456" };
    const struct phone nobody = { 0 };
    assert_string_equal(phone_digits(&person), "250788123456");
    assert_string_equal(phone_digits(&nobody), "");
}

struct masked {
    const char *name;
    const char *text;
    const char *want;
};

static void
test_phone_mask(void **state)
{
    (void)state;
    static const struct masked rows[] = {
        { "mobile", "+250788123456", "+2507******56" },
        { "06", "+25006012345", "+2500*****45" },
        { "foreign", "+14155550100", "+1415*****00" },
        { "longest", "+123456789012345", "+1234*********45" },
        { "shortest", "+2901234", "+2****34" },
        { "none", "", "" },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct phone p = { 0 };
        char out[20];
        (void)snprintf(p.e164, sizeof p.e164, "%s", rows[i].text);
        phone_mask(&p, out);
        expect_text(rows[i].name, out, rows[i].want);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_phone_is_service_sender),
        cmocka_unit_test(test_phone_is_rw_mobile),
        cmocka_unit_test(test_phone_sms_allowed),
        cmocka_unit_test(test_phone_digits),
        cmocka_unit_test(test_phone_mask),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
