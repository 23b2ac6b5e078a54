// Rules in, classic BPF out.
//
//   rules            RuleSet                        ../rules.h
//   -> word tests    conditions on 32-bit words     word_conditions.h
//   -> graph         rules matched all at once      rule_matcher.h, dispatch.h, tree_search.h;
//                    frequent calls first           call_frequency.h
//   -> blocks        loads planned                  assembler.h
//   -> instructions  laid out, jumps bridged        assembler.h
#ifndef SECCOMP_TS_NATIVE_COMPILER_COMPILER_H_
#define SECCOMP_TS_NATIVE_COMPILER_COMPILER_H_

#include <linux/filter.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "../rules.h"

namespace seccomp_ts {

// What the rules of one system call cost. Code that several calls share counts for each of them.
struct Contributor {
  uint32_t audit_arch;
  uint32_t number;
  size_t instructions;
};

struct CompileResult {
  enum class Status {
    kOk,
    kTooLarge,  // more than BPF_MAXINSNS (linux/bpf_common.h), which the kernel refuses
  };

  Status status = Status::kOk;
  std::vector<sock_filter> program;  // kOk only
  size_t instructions = 0;           // that the program has, or would have
  std::vector<Contributor> largest;  // kTooLarge only: at most 8, the largest first
};

// The rules must satisfy what rules.h says of them (Decode checks it). The same rules give the same
// bytes.
CompileResult Compile(const RuleSet& rules);

}  // namespace seccomp_ts

#endif  // SECCOMP_TS_NATIVE_COMPILER_COMPILER_H_
