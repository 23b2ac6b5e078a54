// The whole test framework: TEST(Name) { CHECK(...); CHECK_EQ(actual, expected); }, one executable
// a file, exit status 1 if anything failed.
#ifndef SECCOMP_TS_NATIVE_TEST_CHECK_H_
#define SECCOMP_TS_NATIVE_TEST_CHECK_H_

#include <cstdint>
#include <cstdio>
#include <vector>

namespace check {

struct Test {
  const char* name;
  void (*run)();
};

inline std::vector<Test> tests;
inline int failures = 0;  // in the test that runs

inline bool Add(const char* name, void (*run)()) {
  tests.push_back({name, run});
  return true;
}

// A wrong compiler fails by the thousand; the first few say enough.
inline bool Report(bool holds, const char* file, int line, const char* what) {
  if (!holds && ++failures <= 10) fprintf(stderr, "%s:%d: %s\n", file, line, what);
  return holds;
}

inline bool ReportEqual(uint64_t actual, uint64_t expected, const char* file, int line,
                        const char* what) {
  bool equal = Report(actual == expected, file, line, what);
  if (!equal && failures <= 10) fprintf(stderr, "  is 0x%lx, not 0x%lx\n", actual, expected);
  return equal;
}

inline int RunAll() {
  int failed = 0;
  for (const Test& test : tests) {
    failures = 0;
    test.run();
    failed += failures != 0 ? 1 : 0;
    printf("%s %s\n", failures == 0 ? "ok    " : "not ok", test.name);
  }
  printf("%d passed, %d failed\n", static_cast<int>(tests.size()) - failed, failed);
  return failed == 0 ? 0 : 1;
}

}  // namespace check

#define TEST(name)                                          \
  static void name();                                       \
  static const bool name##_added = check::Add(#name, name); \
  static void name()
#define CHECK(condition) check::Report((condition), __FILE__, __LINE__, #condition)
#define CHECK_EQ(actual, expected) \
  check::ReportEqual((actual), (expected), __FILE__, __LINE__, #actual " == " #expected)

#endif  // SECCOMP_TS_NATIVE_TEST_CHECK_H_
