#include "../compiler/interpreter.h"

#include <linux/bpf_common.h>
#include <linux/filter.h>

#include <cstring>
#include <vector>

#include "check.h"
#include "rules_builder.h"

namespace seccomp_ts {
namespace {

using Program = std::vector<sock_filter>;

constexpr uint32_t kNumberOffset = offsetof(seccomp_data, nr);
constexpr uint32_t kArchOffset = offsetof(seccomp_data, arch);
constexpr uint32_t kArgumentOffset = offsetof(seccomp_data, args);

sock_filter Statement(int code, uint32_t k) { return {static_cast<uint16_t>(code), 0, 0, k}; }
sock_filter Jump(int code, uint32_t k, uint8_t jt, uint8_t jf) {
  return {static_cast<uint16_t>(BPF_JMP | code), jt, jf, k};
}
sock_filter Return(uint32_t action) { return Statement(BPF_RET | BPF_K, action); }
sock_filter Load(uint32_t offset) { return Statement(BPF_LD | BPF_W | BPF_ABS, offset); }

bool IsValid(const Program& program) {
  ProgramFault fault;
  return ValidateProgram(program.data(), program.size(), &fault);
}

// The instruction at fault, for programs that must be refused.
size_t FaultOf(const Program& program) {
  ProgramFault fault = {SIZE_MAX, nullptr};
  CHECK(!ValidateProgram(program.data(), program.size(), &fault));
  CHECK(fault.reason != nullptr);
  return fault.instruction;
}

uint32_t Run(const Program& program, const seccomp_data& call = Call(kX64, 0)) {
  if (!CHECK(IsValid(program))) return 0xdeadbeef;
  return Evaluate(program.data(), call).action;
}

// What an ALU instruction makes of A = a and X = x.
uint32_t Calculate(int code, uint32_t a, uint32_t x, uint32_t k) {
  return Run({Statement(BPF_LDX | BPF_IMM, x), Statement(BPF_LD | BPF_IMM, a),
              Statement(BPF_ALU | code, k), Statement(BPF_RET | BPF_A, 0)});
}

TEST(RefusesWhatTheKernelRefuses) {
  CHECK_EQ(FaultOf({}), 0u);
  CHECK_EQ(FaultOf(Program(BPF_MAXINSNS + 1, Return(0))), 0u);
  CHECK(IsValid(Program(BPF_MAXINSNS, Return(0))));
  CHECK_EQ(FaultOf({Load(kNumberOffset)}), 0u);
  CHECK_EQ(FaultOf({Return(0), Statement(BPF_LD | BPF_IMM, 0)}), 1u);

  for (uint32_t offset = 0; offset < 80; offset++) {
    CHECK_EQ(IsValid({Load(offset), Return(0)}), offset % 4 == 0 && offset < 64);
  }
  CHECK_EQ(FaultOf({Load(0xfffff000), Return(0)}), 0u);  // SKF_AD_OFF, packet filters only

  CHECK_EQ(FaultOf({Jump(BPF_JA, 1, 0, 0), Return(0)}), 0u);
  CHECK_EQ(FaultOf({Jump(BPF_JA, UINT32_MAX, 0, 0), Return(0)}), 0u);
  CHECK(IsValid({Jump(BPF_JA, 0, 0, 0), Return(0)}));
  CHECK_EQ(FaultOf({Jump(BPF_JEQ, 0, 0, 1), Return(0)}), 0u);
  CHECK_EQ(FaultOf({Jump(BPF_JEQ, 0, 1, 0), Return(0)}), 0u);
  CHECK_EQ(FaultOf({Return(0), Jump(BPF_JEQ, 0, 0, 0)}), 1u);

  CHECK_EQ(FaultOf({Statement(BPF_ALU | BPF_DIV | BPF_K, 0), Return(0)}), 0u);
  CHECK_EQ(FaultOf({Statement(BPF_ALU | BPF_LSH | BPF_K, 32), Return(0)}), 0u);
  CHECK_EQ(FaultOf({Statement(BPF_ALU | BPF_RSH | BPF_K, 32), Return(0)}), 0u);
  CHECK(IsValid({Statement(BPF_ALU | BPF_RSH | BPF_K, 31), Return(0)}));
}

TEST(TakesExactlySeccompsOpcodes) {
  // bpf_check_classic takes these, seccomp_check_filter does not.
  const int refused[] = {
      BPF_LD | BPF_H | BPF_ABS,  BPF_LD | BPF_B | BPF_ABS,  BPF_LD | BPF_W | BPF_IND,
      BPF_LDX | BPF_B | BPF_MSH, BPF_ALU | BPF_MOD | BPF_K, BPF_ALU | BPF_MOD | BPF_X,
      BPF_RET | BPF_X,
  };
  for (int code : refused) CHECK_EQ(FaultOf({Statement(code, 4), Return(0)}), 0u);
  size_t taken = 0;
  for (uint32_t code = 0; code <= UINT16_MAX; code++) {
    // Scratch cell 4 is written first, so that loads from it are fine; k = 4 suits all.
    Program program = {Statement(BPF_ST, 4),
                       Statement(static_cast<int>(code), 4),
                       Return(0),
                       Return(0),
                       Return(0),
                       Return(0),
                       Return(0)};
    taken += IsValid(program) ? 1 : 0;
  }
  CHECK_EQ(taken, 41u);
}

TEST(RefusesLoadsOfUnwrittenScratchMemory) {
  sock_filter store = Statement(BPF_ST, 3);
  sock_filter load = Statement(BPF_LD | BPF_MEM, 3);
  CHECK(IsValid({store, load, Return(0)}));
  CHECK(IsValid({Statement(BPF_STX, 3), Statement(BPF_LDX | BPF_MEM, 3), Return(0)}));
  CHECK_EQ(FaultOf({load, Return(0)}), 0u);
  CHECK_EQ(FaultOf({store, Statement(BPF_LD | BPF_MEM, 4), Return(0)}), 1u);
  CHECK_EQ(FaultOf({Statement(BPF_ST, 16), Return(0)}), 0u);
  CHECK_EQ(FaultOf({Statement(BPF_LD | BPF_MEM, 16), Return(0)}), 0u);
  // One of two paths to the load does not write.
  CHECK_EQ(FaultOf({Jump(BPF_JEQ, 0, 0, 1), store, load, Return(0)}), 2u);
  CHECK_EQ(FaultOf({Jump(BPF_JEQ, 0, 0, 1), Jump(BPF_JA, 1, 0, 0), store, load, Return(0)}), 3u);
  // Both do.
  CHECK(IsValid({Jump(BPF_JEQ, 0, 0, 2), store, Jump(BPF_JA, 1, 0, 0), store, load, Return(0)}));
}

TEST(LoadsEveryWordOfTheCall) {
  seccomp_data call;
  uint32_t words[sizeof(call) / 4];
  for (uint32_t i = 0; i < 16; i++) words[i] = 0x1000 + i;
  memcpy(&call, words, sizeof(call));
  for (uint32_t i = 0; i < 16; i++) {
    CHECK_EQ(Run({Load(4 * i), Statement(BPF_RET | BPF_A, 0)}, call), 0x1000 + i);
  }
  // Little-endian: the low word of an argument comes first.
  call = Call(kX64, 7, {0x1111111122222222});
  CHECK_EQ(Run({Load(kNumberOffset), Statement(BPF_RET | BPF_A, 0)}, call), 7u);
  CHECK_EQ(Run({Load(kArchOffset), Statement(BPF_RET | BPF_A, 0)}, call), kX64);
  CHECK_EQ(Run({Load(kArgumentOffset), Statement(BPF_RET | BPF_A, 0)}, call), 0x22222222u);
  CHECK_EQ(Run({Load(kArgumentOffset + 4), Statement(BPF_RET | BPF_A, 0)}, call), 0x11111111u);
  CHECK_EQ(Run({Statement(BPF_LD | BPF_W | BPF_LEN, 0), Statement(BPF_RET | BPF_A, 0)}), 64u);
}

TEST(CalculatesLikeTheKernel) {
  CHECK_EQ(Calculate(BPF_ADD | BPF_K, UINT32_MAX, 0, 2), 1u);
  CHECK_EQ(Calculate(BPF_ADD | BPF_X, 1, 2, 0), 3u);
  CHECK_EQ(Calculate(BPF_SUB | BPF_K, 0, 0, 1), UINT32_MAX);
  CHECK_EQ(Calculate(BPF_SUB | BPF_X, 5, 3, 0), 2u);
  CHECK_EQ(Calculate(BPF_MUL | BPF_K, 0x10000, 0, 0x10001), 0x10000u);
  CHECK_EQ(Calculate(BPF_MUL | BPF_X, 3, 4, 0), 12u);
  CHECK_EQ(Calculate(BPF_DIV | BPF_K, 0xfffffffe, 0, 2), 0x7fffffffu);
  CHECK_EQ(Calculate(BPF_DIV | BPF_X, 7, 2, 0), 3u);
  CHECK_EQ(Calculate(BPF_DIV | BPF_X, 7, 0, 0), 0u);  // ends the program with KILL_THREAD
  CHECK_EQ(Calculate(BPF_AND | BPF_K, 0xff, 0, 0x0f), 0x0fu);
  CHECK_EQ(Calculate(BPF_AND | BPF_X, 0xff, 0xf0, 0), 0xf0u);
  CHECK_EQ(Calculate(BPF_OR | BPF_K, 1, 0, 2), 3u);
  CHECK_EQ(Calculate(BPF_OR | BPF_X, 1, 4, 0), 5u);
  CHECK_EQ(Calculate(BPF_XOR | BPF_K, 3, 0, 1), 2u);
  CHECK_EQ(Calculate(BPF_XOR | BPF_X, 3, 2, 0), 1u);
  CHECK_EQ(Calculate(BPF_LSH | BPF_K, 1, 0, 31), 0x80000000u);
  CHECK_EQ(Calculate(BPF_LSH | BPF_X, 1, 33, 0), 2u);
  CHECK_EQ(Calculate(BPF_RSH | BPF_K, 0x80000000, 0, 31), 1u);
  CHECK_EQ(Calculate(BPF_RSH | BPF_X, 4, 33, 0), 2u);
  CHECK_EQ(Calculate(BPF_NEG, 1, 0, 0), UINT32_MAX);
}

TEST(MovesBetweenRegistersAndMemory) {
  sock_filter ret = Statement(BPF_RET | BPF_A, 0);
  CHECK_EQ(Run({ret}), 0u);  // A starts as 0
  CHECK_EQ(Run({Statement(BPF_LDX | BPF_IMM, 9), Statement(BPF_MISC | BPF_TXA, 0), ret}), 9u);
  CHECK_EQ(Run({Statement(BPF_LD | BPF_IMM, 9), Statement(BPF_MISC | BPF_TAX, 0),
                Statement(BPF_LD | BPF_IMM, 1), Statement(BPF_ALU | BPF_ADD | BPF_X, 0), ret}),
           10u);
  CHECK_EQ(Run({Statement(BPF_LD | BPF_IMM, 5), Statement(BPF_ST, 15),
                Statement(BPF_LD | BPF_IMM, 6), Statement(BPF_LDX | BPF_MEM, 15),
                Statement(BPF_STX, 0), Statement(BPF_LD | BPF_MEM, 0), ret}),
           5u);
  CHECK_EQ(Run({Statement(BPF_LDX | BPF_W | BPF_LEN, 0), Statement(BPF_MISC | BPF_TXA, 0), ret}),
           64u);
}

TEST(JumpsLikeTheKernel) {
  struct Row {
    int code;
    uint32_t a;
    uint32_t k;
    bool taken;
  };
  const Row rows[] = {
      {BPF_JEQ, 5, 5, true},          {BPF_JEQ, 5, 6, false},
      {BPF_JGT, 5, 5, false},         {BPF_JGT, 0x80000000, 0x7fffffff, true},  // unsigned
      {BPF_JGE, 5, 5, true},          {BPF_JGE, 4, 5, false},
      {BPF_JGE, UINT32_MAX, 1, true}, {BPF_JSET, 6, 2, true},
      {BPF_JSET, 6, 1, false},        {BPF_JSET, 6, 0, false},
  };
  for (const Row& row : rows) {
    sock_filter set = Statement(BPF_LD | BPF_IMM, row.a);
    CHECK_EQ(Run({set, Jump(row.code, row.k, 1, 0), Return(0), Return(1)}), row.taken);
    CHECK_EQ(Run({Statement(BPF_LDX | BPF_IMM, row.k), set, Jump(row.code | BPF_X, 0, 1, 0),
                  Return(0), Return(1)}),
             row.taken);
  }
  CHECK_EQ(Run({Jump(BPF_JA, 1, 0, 0), Return(0), Return(1)}), 1u);
}

TEST(CountsWhatItExecutes) {
  Program program = {Load(0), Jump(BPF_JEQ, 1, 0, 1), Jump(BPF_JA, 0, 0, 0), Return(0)};
  CHECK_EQ(Evaluate(program.data(), Call(kX64, 1)).executed, 4u);
  CHECK_EQ(Evaluate(program.data(), Call(kX64, 2)).executed, 3u);
}

TEST(KnowsWhatTheKernelCaches) {
  auto cached = [](const Program& program) {
    CHECK(IsValid(program));
    return IsConstantAllow(program.data(), kX64, 5);
  };
  CHECK(cached({Return(kAllow)}));
  CHECK(!cached({Return(kAllow | 1)}));  // data bits
  CHECK(!cached({Return(kLog)}));
  CHECK(cached({Load(kNumberOffset), Jump(BPF_JEQ, 5, 0, 1), Return(kAllow), Return(kKill)}));
  CHECK(!cached({Load(kNumberOffset), Jump(BPF_JEQ, 6, 0, 1), Return(kAllow), Return(kKill)}));
  CHECK(cached({Load(kArchOffset), Jump(BPF_JEQ, kX64, 0, 1), Return(kAllow), Return(kKill)}));
  CHECK(cached({Load(kNumberOffset), Statement(BPF_ALU | BPF_AND | BPF_K, 4),
                Jump(BPF_JEQ, 4, 0, 1), Return(kAllow), Return(kKill)}));
  CHECK(cached({Jump(BPF_JA, 1, 0, 0), Return(kKill), Return(kAllow)}));
  // Only the path of this number counts.
  CHECK(cached({Load(0), Jump(BPF_JGT, 4, 0, 1), Return(kAllow), Load(16), Return(kKill)}));
  CHECK(!cached({Load(0), Jump(BPF_JGT, 5, 0, 1), Return(kAllow), Load(16), Return(kAllow)}));
  // Nothing else is emulated.
  CHECK(!cached({Load(kArgumentOffset), Return(kAllow)}));
  CHECK(!cached({Load(offsetof(seccomp_data, instruction_pointer)), Return(kAllow)}));
  CHECK(!cached({Statement(BPF_LD | BPF_IMM, 0), Return(kAllow)}));
  CHECK(!cached({Statement(BPF_ALU | BPF_OR | BPF_K, 0), Return(kAllow)}));
  CHECK(!cached({Load(0), Jump(BPF_JEQ | BPF_X, 0, 0, 0), Return(kAllow)}));
  CHECK(!cached({Statement(BPF_RET | BPF_A, 0)}));
}

}  // namespace
}  // namespace seccomp_ts
