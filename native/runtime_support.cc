// The little of the C++ runtime that header-only templates call, so that the shipped binary names
// no symbol of libstdc++: one file then loads beside glibc's and musl's, whatever C++ library the
// host's node was linked with. Hidden visibility keeps these from replacing the host's own.
//
// All of them end the process: they are reached by running out of memory or by a bug, never by
// input, whose sizes are checked before anything is allocated.
#include <stdlib.h>

#include <cstddef>
#include <new>

void* operator new(size_t size) {
  void* memory = malloc(size == 0 ? 1 : size);
  if (memory == nullptr) abort();
  return memory;
}
void* operator new[](size_t size) { return operator new(size); }
void operator delete(void* memory) noexcept { free(memory); }
void operator delete[](void* memory) noexcept { free(memory); }
void operator delete(void* memory, size_t) noexcept { free(memory); }
void operator delete[](void* memory, size_t) noexcept { free(memory); }

extern "C" void __cxa_pure_virtual() { abort(); }

namespace std {
void __throw_length_error(const char*) { abort(); }
void __throw_logic_error(const char*) { abort(); }
void __throw_out_of_range(const char*) { abort(); }
void __throw_out_of_range_fmt(const char*, ...) { abort(); }
void __throw_bad_alloc() { abort(); }
void __throw_bad_array_new_length() { abort(); }
void __throw_bad_function_call() { abort(); }
void __throw_system_error(int) { abort(); }
}  // namespace std
