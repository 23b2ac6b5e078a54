// What the kernel does with a filter, in user space: the check at installation, the run on a call,
// and the question whether a call is let through without a run.
#ifndef SECCOMP_TS_NATIVE_COMPILER_INTERPRETER_H_
#define SECCOMP_TS_NATIVE_COMPILER_INTERPRETER_H_

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cstddef>
#include <cstdint>

namespace seccomp_ts {

// Why the kernel would refuse a program (EINVAL).
struct ProgramFault {
  size_t instruction;
  const char* reason;
};

// Whether the kernel accepts the program: bpf_check_classic (net/core/filter.c), then
// seccomp_check_filter (kernel/seccomp.c). `fault` is written only if it does not.
bool ValidateProgram(const sock_filter* program, size_t length, ProgramFault* fault);

struct Evaluation {
  uint32_t action;  // what the program returns, data bits and all
  size_t executed;  // instructions
};

// Runs a program that ValidateProgram accepts.
Evaluation Evaluate(const sock_filter* program, const seccomp_data& data);

// Whether the kernel, from 5.11 on, allows this call without ever running the program:
// seccomp_is_const_allow (kernel/seccomp.c). For a program that ValidateProgram accepts.
bool IsConstantAllow(const sock_filter* program, uint32_t audit_arch, uint32_t number);

}  // namespace seccomp_ts

#endif  // SECCOMP_TS_NATIVE_COMPILER_INTERPRETER_H_
