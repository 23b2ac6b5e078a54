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

// Where the condition may change its mind. Of very many ranges the first will do.
std::vector<uint64_t> BordersOf(const Condition& condition) {
  constexpr size_t kMostRanges = 8;
  if (condition.kind == Condition::Kind::kMasked) {
    return {condition.expected, condition.expected | ~condition.mask,
            condition.expected ^ condition.mask};
  }
  std::vector<uint64_t> borders;
  for (size_t i = 0; i < condition.ranges.size() && i < kMostRanges; i++) {
    borders.push_back(condition.ranges[i].first);
    borders.push_back(condition.ranges[i].last);
  }
  return borders;
}

// Calls at the borders of what the rules name: of the arguments one after the other, of the
// numbers, and of another architecture.
void RunCalls(const RuleSet& rules, const std::vector<sock_filter>& program) {
  RunCall(rules, program, seccomp_data{});
  for (const ArchRules& arch : rules.arches) {
    seccomp_data call = {};
    call.arch = arch.audit_arch;
    for (const NumberRange& range : arch.ranges) {
      for (uint32_t number : {range.first - 1, range.first, range.last, range.last + 1}) {
        call.nr = static_cast<int>(number);
        RunCall(rules, program, call);
      }
    }
    for (const SyscallRules& syscall : arch.syscalls) {
      for (uint32_t number : {syscall.number - 1, syscall.number + 1, syscall.number}) {
        call.nr = static_cast<int>(number);
        RunCall(rules, program, call);
      }
      for (const Rule& rule : syscall.rules) {
        for (const Condition& condition : rule.conditions) {
          for (uint64_t border : BordersOf(condition)) {
            for (uint64_t value : {border - 1, border + 1, border ^ uint64_t{1} << 32, border}) {
              call.args[condition.argument] = value;
              RunCall(rules, program, call);
            }
          }
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
