// The whole test framework: TEST(Name) { CHECK(...); CHECK_EQ(actual, expected); }, one executable a
// file, exit status 1 if anything failed.
#ifndef SECCOMP_TS_NATIVE_TEST_CHECK_H_
#define SECCOMP_TS_NATIVE_TEST_CHECK_H_

#include <cstdint>
#include <cstdio>

namespace check {

struct Test {
  const char* name;
  void (*run)();
  Test* next = nullptr;

  static Test*& First() {
    static Test* first = nullptr;
    return first;
  }

  Test(const char* test_name, void (*function)()) : name(test_name), run(function) {
    Test** end = &First();
    while (*end != nullptr) end = &(*end)->next;
    *end = this;
  }
};

inline int failures = 0;  // in the test that runs

inline bool Report(bool holds, const char* file, int line, const char* what) {
  if (holds) return true;
  // A wrong compiler fails by the thousand; the first few say enough.
  if (++failures <= 10) fprintf(stderr, "%s:%d: %s\n", file, line, what);
  return false;
}

inline bool ReportEqual(uint64_t actual, uint64_t expected, const char* file, int line,
                        const char* what) {
  if (Report(actual == expected, file, line, what)) return true;
  if (failures <= 10) fprintf(stderr, "  is 0x%lx, not 0x%lx\n", actual, expected);
  return false;
}

inline int RunAll() {
  int passed = 0;
  int failed = 0;
  for (Test* test = Test::First(); test != nullptr; test = test->next) {
    failures = 0;
    test->run();
    (failures == 0 ? passed : failed)++;
    printf("%s %s\n", failures == 0 ? "ok    " : "not ok", test->name);
  }
  printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}

}  // namespace check

#define TEST(name)                                  \
  static void name();                               \
  static check::Test name##_test(#name, name);      \
  static void name()
#define CHECK(condition) check::Report((condition), __FILE__, __LINE__, #condition)
#define CHECK_EQ(actual, expected) \
  check::ReportEqual((actual), (expected), __FILE__, __LINE__, #actual " == " #expected)

#endif  // SECCOMP_TS_NATIVE_TEST_CHECK_H_
