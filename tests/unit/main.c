/*
 * main.c: all tests of a configuration in one program, for linking takes longer than most of them run. `<program> <test>`
 * runs one, for each is told apart and starts afresh; without a name it lists them.
 *
 * TESTS: TEST(name) for each test_<name>.c, whose main() is main_<name>() here.
 */
#include <stdio.h>
#include <string.h>

#define TEST(name) int main_##name(void);
TESTS
#undef TEST

#define TEST(name) {#name, main_##name},
static const struct {
    const char *name;
    int (*run)(void);
} tests[] = {TESTS};
#undef TEST

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        if (argc < 2) {
            puts(tests[i].name);
        } else if (strcmp(tests[i].name, argv[1]) == 0) {
            return tests[i].run();
        }
    }
    return argc < 2 ? 0 : 2;
}
