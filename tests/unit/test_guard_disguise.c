/*
 * test_guard_disguise - telephone numbers in every disguise, and what is left of the text around
 * them: all of the number goes, and no part of a price stays behind as another price.
 */
#include "flow/guard.h"
#include "unit/unit.h"

/* "Call the owner on NUMBER today please." */
static const char *const numbers[] = {
    "0788 123 456",
    "+250 788-123-456",
    "07.88.12.34.56",
    "0 7 8 8 1 2 3 4 5 6",
    "0788/123/456",
    "0788 / 123 / 456",
    "0788 - 123 - 456",
    "788 - 123 - 456",
    "788/123/456",
    "788.123.456",
    "788-123-456",
    "250/788/123/456",
    "250 788 / 123 456",
    "250.788.123.456",
    "250-788-123-456",
    "0788:123:456",
    "07:88:12:34:56",
    "07:23:12:34:56",
    "07.23.12.10.10",
    "07.23 12.10 10",
    "07 23 12 10 10",
    "07/23/12/10/10",
    "0788–123–456",
    "0788—123—456",
    "0788·123·456",
    "0788→123→456",
    "0788🙂123🙂456",
    "0788,123,456",
    "0788'123'456",
    "0788\\123\\456",
    "[0788][123][456]",
    "{0788}{123}{456}",
    "(0788)(123)(456)",
    "\"0788\" \"123\" \"456\"",
    "0788#123#456",
    "0788&123&456",
    "0788+123+456",
    "07+88+12+34+56",
    "0788 + 123 + 456",
    "788+123+456",
    "0788*123*456",
    "*0788* *123* *456*",
    "**0788** **123** **456**",
    "_0788_ _123_ _456_",
    "+250(0)788123456",
    "00 250 788 123 456",
    "0788 123 4 5 6",
    "07 88l23456",
    "5 788 123 456",
    "0252 123 456",
    "0788^123^456",
    "0788<123>456",
    "0788…123…456",
    "0788 ... 123 ... 456",
    "0788 -- 123 -- 456",
    "788 123 456",
    "788123456",
    "7 8 8 1 2 3 4 5 6",
    "7/8/8/1/2/3/4/5/6",
    "+1 (415) 555-2671",
    "+44 20 7946 0958",
    "44 20 7946 0958",
    "+32/475/123456",
    "07 2 3 1 2 3 4 5 6",
    "0783.00.00.00",
    "0788 300 000",
    "+250 788 300 000",
    "250 788 300 000",
    "078 812 34 56",
    "０７８８／１２３／４５６",
    "0 0 2 5 0 7 8 8 1 2 3 4 5 6",
    "0 2 5 2 1 2 3 4 5 6",
    "0.2.5.2.1.2.3.4.5.6",
    "0-252 123 456",
    "5 078 812 3456",
    "\"07 88 12 34 56\"",
    /* letters in the place of digits */
    "O788-I23-456",
    "O7881Z3456",
    "O7BBI23456",
    "07B8-l23-4S6",
    "7 8 8 . 1 2 3 . 4 5 6",
    "7 8 8 - 1 2 3 - 4 5 6",
    "0 7 8 8 . 1 2 3 . 4 5 6",
    /* in words, and half in words */
    "zero seven eight eight one two three four five six",
    "zéro sept cent quatre-vingt-huit, douze, trente-quatre, cinquante-six",
    "zéro sept cent quatre-vingt-huit cent vingt-trois quatre cent cinquante-six",
    "zéro sept, quatre-vingt-huit, douze, trente-quatre, cinquante-six",
    "zéro sept soixante-dix-huit douze trente-quatre cinquante-six",
    "nul septante huit huit douze trente quatre cinquante six",
    "zéro sept vingt-trois soixante douze quatre-vingt quinze zéro un",
    "oh seven eight eight twelve thirty-four fifty-six",
    "oh seven eight eight, twelve, thirty-four, fifty-six",
    "Oh-seven-eight-eight, one-two-three, four-five-six",
    "o seven double eight one two three four five six",
    "seven eighty-eight one two three four five six",
    "seven hundred and eighty-eight, one hundred and twenty-three, four hundred and fifty-six",
    "plus two five zero seven eight eight one two three four five six",
    "two five zero, seven eighty-eight, one two three, four five six",
    "sifuri saba nane nane moja mbili tatu nne tano sita",
    "sifuri sabini na nane, themanini na moja, ishirini na tatu, arobaini na tano, sita",
    "sifuri mia saba themanini na nane, mia moja ishirini na tatu, mia nne hamsini na sita",
    "sifuri saba nane nane kumi na mbili thelathini na nne hamsini na sita",
    "zeru karindwi umunani umunani 123456",
    "zeru magana arindwi mirongo inani n'umunani, 123 456",
    "zeru mirongo irindwi n'umunani, mirongo inani na rimwe, 23 456",
    ("zeru karindwi umunani n'umunani, cumi na kabiri, mirongo itatu na kane, mirongo itanu na "
     "gatandatu"),
    "zero seven eight and eight, twelve and thirty-four and fifty-six",
    "07 double 8 123456",
    "078 (eight) 123-456",
    "078eight123456",
    "0788 one two three 456",
    "zero 788 123 456",
    "0 seven 88 12 34 56",
    "0788 12 34 fifty-six",
};

static const struct {
    const char *text;
    const char *left;
} rows[] = {
    { "Call the owner on 250000/0788123456 today please",
      "Call the owner on 250000/ today please" },
    { "Call the owner on 5/0788123456 today please", "Call the owner on 5/ today please" },
    { "Call the owner on 250 000 / 0788 123 456 today please",
      "Call the owner on 250 000 / today please" },
    { "Call the owner on 250 000 RWF/0788/123/456 today please",
      "Call the owner on 250 000 RWF/ today please" },
    { "Call the owner on 150 000 / 200 000 / 788 123 456 today please",
      "Call the owner on 150 000 / 200 000 / today please" },
    { "Call the owner on 0788 123 456 150 000 RWF today please",
      "Call the owner on RWF today please" },
    { "Call the owner at 10:30 0788 123 456 today please", "Call the owner at 10:30 today please" },
    { "Call the owner at 10.30, 0788 123 456 today please",
      "Call the owner at 10.30, today please" },
    { "Call the owner on 0788 123 456 / 0722 123 456 today please",
      "Call the owner on / today please" },
    { "Call the owner on 0788 123 456, 0722 123 456 today please",
      "Call the owner on, today please" },
    { "Call the owner on 0788123456 2 times a day", "Call the owner on 2 times a day" },
    { "Call the owner on 07 88 12 34 56 RWF today please", "Call the owner on RWF today please" },
    { "Call the owner on 0788 100 000 RWF today please", "Call the owner on RWF today please" },
    { "Call the owner on tel-0788123456 today please", "Call the owner on tel- today please" },
    { "Call the owner on mtn/250788123456 or no-00250788123456 today please",
      "Call the owner on mtn/ or no- today please" },
    { "Call the owner on x-788123456 or y-+14155552671 today please",
      "Call the owner on x- or y- today please" },
    { "Call the owner on TEL0788123456 today please", "Call the owner on TEL today please" },
    { "Call the owner on Nr:0788123456 today please", "Call the owner on Nr: today please" },
    { "Call the owner on 0788 123 456 (MTN) today please", "Call the owner on (MTN) today please" },
    { "Call the owner (0788 123 456) today please", "Call the owner today please" },
    { "Call the owner ((0788) 123-456) today please", "Call the owner today please" },
    { "Call the owner on 0788/123456 or 0788.123456 today please",
      "Call the owner on or today please" },
    { "Call the owner on 07 8812 3456, flat 3, today please",
      "Call the owner on, flat 3, today please" },
    { "Call the owner on 3/0788 123 456 today please", "Call the owner on 3/ today please" },
    { "Call the owner on 07 88 12 34 06/07 22 12 34 56 today please",
      "Call the owner on / today please" },
    { "Call the owner on +250788123456, 0722 123 456 today please",
      "Call the owner on, today please" },
    { "Call the owner on +250788123456/+250 (722) 123-456 today please",
      "Call the owner on / today please" },
    { "Call the owner on 0788 123 456, 250 000 RWF today please",
      "Call the owner on, 250 000 RWF today please" },
    { "Dial *182*1*1*0788123456*500# today please", "Dial *182*1*1**500# today please" },
    { "Dial *182*1*1*0788*123*456# today please", "Dial *182*1*1*# today please" },
    { "His ID is 1 1990 8 0788123 4 56, I think", "His ID is, I think" },
    { "Give 1 1990 8 0788123 4 56 to him please", "Give to him please" },
    { "Your account number is 0788 123 456 at BK", "Your account number is at BK" },
    { "Your meter: +250 788 123 456 at home", "Your meter: at home" },
    { "Your policy no. 250788123456 at home", "Your policy no. at home" },
    { "Your meter 788 123 456 at home", "Your meter at home" },
    { "Account 4003 2001 / 0788 123 456 at BK", "Account 4003 2001 / at BK" },
    { "Your policy number 07-2026-0788123456 is valid", "Your policy number 07-2026- is valid" },
    { "His number is +1 1990 8 0012345 6 78 at home", "His number is at home" },
    { "Account 4003, 788 123 456 at BK", "Account 4003, at BK" },
    { "Ask the police: 0252 123 456 at night", "Ask the police: at night" },
    { "You have an account. 14155552671 at night", "You have an account. at night" },
    { "Call zero seven eight eight one one one two two two or zero seven eight eight nine nine "
      "nine "
      "eight eight eight please",
      "Call zero seven eight eight one one one two two two or please" },
    { "Call 0788111222, 0788 999 888 today please", "Call 0788111222, today please" },
    { "Call *0788123456* or _0722123456_ today please", "Call or today please" },
};

static const struct guard_rules rules = { .own_number = "+250788111222",
                                          .service_numbers = { "8080", "EasyMO" } };

static int
check(struct arena *a, const char *text, const char *left)
{
    struct guard_result got = guard_text(a, text, &rules);

    if (got.text != NULL && strcmp(got.text, left) == 0 && strcmp(got.reason, "numbers") == 0)
        return 0;
    print_error("\"%s\": %s \"%s\", not \"%s\"\n", text, got.reason,
                got.text != NULL ? got.text : "(refused)", left);
    return 1;
}

static void
test_numbers_are_found(void **state)
{
    int bad = 0;

    assert_true(COUNT_OF(numbers) >= 40);
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        bad += check(*state, arena_printf(*state, "Call the owner on %s today please.", numbers[i]),
                     "Call the owner on today please.");
    assert_int_equal(bad, 0);
}

static void
test_what_is_left_is_whole(void **state)
{
    int bad = 0;

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        bad += check(*state, rows[i].text, rows[i].left);
    assert_int_equal(bad, 0);
}

/* Any number of this country, in any groups, with anything between them. */
static void
test_any_mobile_number_is_found(void **state)
{
    static const char *const between[] = {
        " ", "-",   ".",   "/",  ",",   ":",  "+",     "*",
        "_", " - ", " / ", ", ", " + ", "][", "\" \"", "\xC2\xB7"
    };
    uint32_t seed = 20261202;
    int bad = 0;

    for (size_t round = 0; round < 2000; round++) {
        const char *gap = between[round % COUNT_OF(between)];
        const char *text = "Call the owner on 07";
        size_t size = 2 + round % 3;

        for (size_t i = 2; i < 10; i++) {
            seed = seed * 1664525u + 1013904223u;
            text = arena_printf(*state, "%s%s%c", text, i % size == 0 ? gap : "",
                                i == 2 ? "2389"[(seed >> 8) % 4] : '0' + (char)((seed >> 8) % 10));
        }
        bad += check(*state, arena_printf(*state, "%s today please.", text),
                     "Call the owner on today please.");
    }
    assert_int_equal(bad, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(test_numbers_are_found),
        ARENA_TEST(test_what_is_left_is_whole),
        ARENA_TEST(test_any_mobile_number_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
