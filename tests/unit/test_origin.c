/*
 * origin - which pages are ours.
 */
#include "base/origin.h"
#include "unit/unit.h"

static void
test_origin_is_of_url(void **state)
{
    static const struct {
        const char *origin;
        const char *url;
        bool same;
    } rows[] = {
        { "https://omni.example", "https://omni.example", true },
        { "https://omni.example", "https://omni.example/", true },
        { "https://omni.example", "https://omni.example/base?x#y", true },
        { "https://OMNI.example", "HTTPS://omni.EXAMPLE/", true },
        { "https://omni.example", "https://omni.example:443", true },
        { "https://omni.example:443", "https://omni.example", true },
        { "http://127.0.0.1:8080", "http://127.0.0.1:8080/", true },
        { "http://[::1]:8080", "http://[::1]:8080", true },
        { "http://omni.example:80", "http://omni.example", true },
        { "http://omni.example", "https://omni.example", false },
        { "https://omni.example:80", "https://omni.example", false },
        { "https://omni.example:4430", "https://omni.example", false },
        { "https://omni.example:44", "https://omni.example", false },
        { "https://omni.example:8443", "https://omni.example:8444", false },
        { "https://omni.example.evil.example", "https://omni.example", false },
        { "https://omni.exampl", "https://omni.example", false },
        { "https://evil.example", "https://omni.example", false },
        { "https://omni.example@evil.example", "https://omni.example", false },
        { "null", "https://omni.example", false },
        { "", "https://omni.example", false },
        { "https://", "https://", false },
        { "https://:443", "https://:443", false },
        { "https://omni.example", "", false },
        { "null", "", false },
        { "", "", false },
        { "omni.example", "omni.example", false },
        { "ftp://omni.example", "ftp://omni.example", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        expect_int(rows[i].origin, origin_is_of(rows[i].origin, rows[i].url), rows[i].same);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = { cmocka_unit_test(test_origin_is_of_url) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
