// libFuzzer: any words -> decode -> compile -> validate -> run, against the reference evaluator.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "../compiler/compiler.h"
#include "../compiler/interpreter.h"
#include "../rules_codec.h"
#include "../test/encode.h"
#include "../test/reference.h"

namespace seccomp_ts {
namespace {

void Require(bool holds) {
  if (!holds) abort();
}

void RunCall(const RuleSet& rules, const std::vector<sock_filter>& program,
             const seccomp_data& call) {
  uint32_t action = Evaluate(program.data(), call).action;
  Require(action == ReferenceAction(rules, call));
  if (IsConstantAllow(program.data(), call.arch, static_cast<uint32_t>(call.nr))) {
    Require(action == SECCOMP_RET_ALLOW);
  }
}

// Calls at the borders of what the rules name.
void RunCalls(const RuleSet& rules, const std::vector<sock_filter>& program) {
  for (const ArchRules& arch : rules.arches) {
    for (const SyscallRules& syscall : arch.syscalls) {
      seccomp_data call = {};
      call.arch = arch.audit_arch;
      call.nr = static_cast<int>(syscall.number);
      RunCall(rules, program, call);
      for (const Rule& rule : syscall.rules) {
        for (const Condition& condition : rule.conditions) {
          uint64_t border =
              condition.ranges.empty() ? condition.expected : condition.ranges[0].last;
          for (uint64_t value : {border - 1, border, border + 1, border ^ uint64_t{1} << 32}) {
            call.args[condition.argument] = value;
            RunCall(rules, program, call);
          }
          call.args[condition.argument] = border;
        }
      }
    }
  }
}

}  // namespace
}  // namespace seccomp_ts

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace seccomp_ts;
  std::vector<uint32_t> words(size / sizeof(uint32_t));
  if (!words.empty()) memcpy(words.data(), data, words.size() * sizeof(uint32_t));
  // The magic costs a fuzzer time and tells it nothing.
  if (!words.empty()) words[0] = kRulesMagic;
  RuleSet rules;
  DecodeError error;
  if (!Decode(words.data(), words.size(), &rules, &error)) {
    Require(error.offset <= words.size() && error.message != nullptr);
    return 0;
  }
  Require(Encode(rules) == words);
  CompileResult result = Compile(rules);
  if (result.status == CompileResult::Status::kTooLarge) {
    Require(result.instructions > BPF_MAXINSNS && result.largest.size() <= 8);
    return 0;
  }
  ProgramFault fault;
  Require(ValidateProgram(result.program.data(), result.program.size(), &fault));
  RunCalls(rules, result.program);
  return 0;
}
