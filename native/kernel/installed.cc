#include "kernel/installed.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compiler/interpreter.h"

namespace seccomp_ts {
namespace {

#if defined(__x86_64__)
constexpr uint32_t kNativeArch = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr uint32_t kNativeArch = AUDIT_ARCH_AARCH64;
#else
#error "seccomp-ts supports x86-64 and arm64"
#endif

struct Program {
  sock_filter* instructions;
  Program* older;
};

// A list that only ever grows at its head: readers on other threads (Workers share this library)
// need no lock, and there is nothing to destroy at exit.
Program* newest = nullptr;
Note* newest_note = nullptr;

template <typename T>
void Prepend(T** head, T* entry) {
  entry->older = __atomic_load_n(head, __ATOMIC_ACQUIRE);
  while (!__atomic_compare_exchange_n(head, &entry->older, entry, false, __ATOMIC_ACQ_REL,
                                      __ATOMIC_ACQUIRE)) {
  }
}

}  // namespace

void RememberProgram(const std::vector<sock_filter>& program) {
  auto* entry = static_cast<Program*>(malloc(sizeof(Program)));
  auto* copy = static_cast<sock_filter*>(malloc(program.size() * sizeof(sock_filter)));
  if (entry == nullptr || copy == nullptr) abort();
  memcpy(copy, program.data(), program.size() * sizeof(sock_filter));
  entry->instructions = copy;
  Prepend(&newest, entry);
}

void RememberNote(const char* text, size_t length) {
  auto* entry = static_cast<Note*>(malloc(sizeof(Note)));
  auto* copy = static_cast<char*>(malloc(length + 1));
  if (entry == nullptr || copy == nullptr) abort();
  memcpy(copy, text, length);
  copy[length] = '\0';
  entry->text = copy;
  entry->length = length;
  Prepend(&newest_note, entry);
}

const Note* NewestNote() { return __atomic_load_n(&newest_note, __ATOMIC_ACQUIRE); }

bool Permitted(long number, const uint64_t (&args)[6]) {
  seccomp_data data = {};
  data.nr = static_cast<int>(number);
  data.arch = kNativeArch;
  for (int i = 0; i < 6; i++) data.args[i] = args[i];
  for (const Program* p = __atomic_load_n(&newest, __ATOMIC_ACQUIRE); p != nullptr; p = p->older) {
    const uint32_t action = Evaluate(p->instructions, data).action & SECCOMP_RET_ACTION_FULL;
    if (action != SECCOMP_RET_ALLOW && action != SECCOMP_RET_LOG) return false;
  }
  return true;
}

long GuardedSyscall(long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
                    uint64_t f) {
  const uint64_t args[6] = {a, b, c, d, e, f};
  if (!Permitted(number, args)) return -EPERM;
  const long result = syscall(number, a, b, c, d, e, f);
  return result < 0 ? -errno : result;
}

}  // namespace seccomp_ts
