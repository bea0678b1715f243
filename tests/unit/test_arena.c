/*
 * arena - zeroed, aligned, separate pieces; owned objects; reuse after reset; the end of the
 * process on overflow.
 */
#include <stdalign.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/unit.h"

static void
test_arena_alloc_is_zeroed_and_aligned(void **state)
{
    static const size_t sizes[] = { 0,     1,     2,     3,     7,      8,      15,   16,
                                    17,    100,   1000,  2048,  4000,   4096,   4097, 10000,
                                    32767, 32768, 32769, 65536, 100000, 1000000 };
    struct arena *a = *state;

    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < COUNT_OF(sizes); i++) {
            unsigned char *p = arena_alloc(a, sizes[i]);
            assert_non_null(p);
            assert_int_equal((uintptr_t)p % alignof(max_align_t), 0);
            for (size_t k = 0; k < sizes[i]; k++)
                assert_int_equal(p[k], 0);
            memset(p, 0xEE, sizes[i]);
        }
        arena_reset(a); /* the next round gets the dirty block back */
    }
}

static void
test_arena_pieces_do_not_overlap(void **state)
{
    struct arena *a = *state;
    unsigned char *pieces[400];

    for (size_t i = 0; i < COUNT_OF(pieces); i++) {
        pieces[i] = arena_alloc(a, i + 1);
        memset(pieces[i], (int)(i % 251), i + 1);
    }
    for (size_t i = 0; i < COUNT_OF(pieces); i++) {
        assert_int_equal(pieces[i][0], i % 251);
        assert_int_equal(pieces[i][i], i % 251);
    }
}

static void
test_arena_array_counts(void **state)
{
    struct arena *a = *state;
    int64_t *numbers = arena_array(a, 1000, sizeof(*numbers));

    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(numbers[i], 0);
    assert_non_null(arena_array(a, 0, 8));
    assert_non_null(arena_array(a, 8, 0));
}

/* What a child that does 'act' ends with. */
static int
end_of_child(void (*act)(void))
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        const struct rlimit no_core = { 0 };
        (void)setrlimit(RLIMIT_CORE, &no_core);
        if (freopen("/dev/null", "w", stderr) == NULL)
            _exit(1);
        act();
        _exit(0);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void
ask_for_too_many(void)
{
    struct arena *a = arena_new();

    (void)arena_array(a, SIZE_MAX / 8 + 1, 8); /* the product would be 0 */
}

static void
ask_for_too_much(void)
{
    struct arena *a = arena_new();

    (void)arena_alloc(a, SIZE_MAX - 4);
}

static void
ask_for_little(void)
{
    struct arena *a = arena_new();

    (void)arena_array(a, 4, 5);
    arena_free(&a);
}

static void
test_arena_overflow_ends_the_process(void **state)
{
    (void)state;
    assert_int_not_equal(end_of_child(ask_for_too_many), 0);
    assert_int_not_equal(end_of_child(ask_for_too_much), 0);
    assert_int_equal(end_of_child(ask_for_little), 0);
}

static char released[16];

static void
note_release(void *object)
{
    size_t n = strlen(released);

    released[n] = *(const char *)object;
    released[n + 1] = '\0';
}

static void
test_arena_own_releases_in_reverse(void **state)
{
    static char names[] = "abc";
    struct arena *a = arena_new();

    (void)state;
    released[0] = '\0';
    arena_own(a, &names[0], note_release);
    arena_own(a, &names[1], note_release);
    arena_reset(a);
    assert_string_equal(released, "ba");

    arena_own(a, &names[2], note_release);
    arena_own(a, &names[0], note_release);
    arena_free(&a);
    assert_string_equal(released, "baac");
    assert_null(a);
    arena_free(&a); /* again: nothing happens */
    assert_string_equal(released, "baac");
}

static void
test_arena_reset_can_go_on_for_ever(void **state)
{
    struct arena *a = *state;

    for (int i = 0; i < 20000; i++) {
        char *text = arena_printf(a, "request %d", i);
        assert_int_equal(text[0], 'r');
        (void)arena_alloc(a, 5000);
        arena_reset(a);
    }
}

static void
test_arena_copies(void **state)
{
    struct arena *a = *state;
    const char text[] = "Muraho\0hidden";

    assert_string_equal(arena_strdup(a, text), "Muraho");
    assert_string_equal(arena_strdup(a, ""), "");
    assert_string_equal(arena_strndup(a, text, 3), "Mur");
    assert_string_equal(arena_strndup(a, NULL, 0), "");
    assert_memory_equal(arena_strndup(a, text, sizeof(text)), text, sizeof(text));
    assert_string_equal(arena_printf(a, "%s-%d-%%", "x", 42), "x-42-%");
    assert_string_equal(arena_printf(a, "%s", ""), "");
    assert_int_equal(strlen(arena_printf(a, "%09999d", 1)), 9999);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        ARENA_TEST(test_arena_alloc_is_zeroed_and_aligned),
        ARENA_TEST(test_arena_pieces_do_not_overlap),
        ARENA_TEST(test_arena_array_counts),
        cmocka_unit_test(test_arena_overflow_ends_the_process),
        cmocka_unit_test(test_arena_own_releases_in_reverse),
        ARENA_TEST(test_arena_reset_can_go_on_for_ever),
        ARENA_TEST(test_arena_copies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
