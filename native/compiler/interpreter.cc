#include "interpreter.h"

#include <linux/bpf_common.h>

#include <cstring>

namespace seccomp_ts {
namespace {

// seccomp_check_filter's list. It is narrower than bpf_check_classic's (no packet loads, no MOD),
// so being on it is enough.
bool IsKnownOpcode(uint16_t code) {
  switch (code) {
    case BPF_LD | BPF_W | BPF_ABS:
    case BPF_LD | BPF_W | BPF_LEN:
    case BPF_LDX | BPF_W | BPF_LEN:
    case BPF_LD | BPF_IMM:
    case BPF_LDX | BPF_IMM:
    case BPF_LD | BPF_MEM:
    case BPF_LDX | BPF_MEM:
    case BPF_ST:
    case BPF_STX:
    case BPF_RET | BPF_K:
    case BPF_RET | BPF_A:
    case BPF_ALU | BPF_ADD | BPF_K:
    case BPF_ALU | BPF_ADD | BPF_X:
    case BPF_ALU | BPF_SUB | BPF_K:
    case BPF_ALU | BPF_SUB | BPF_X:
    case BPF_ALU | BPF_MUL | BPF_K:
    case BPF_ALU | BPF_MUL | BPF_X:
    case BPF_ALU | BPF_DIV | BPF_K:
    case BPF_ALU | BPF_DIV | BPF_X:
    case BPF_ALU | BPF_AND | BPF_K:
    case BPF_ALU | BPF_AND | BPF_X:
    case BPF_ALU | BPF_OR | BPF_K:
    case BPF_ALU | BPF_OR | BPF_X:
    case BPF_ALU | BPF_XOR | BPF_K:
    case BPF_ALU | BPF_XOR | BPF_X:
    case BPF_ALU | BPF_LSH | BPF_K:
    case BPF_ALU | BPF_LSH | BPF_X:
    case BPF_ALU | BPF_RSH | BPF_K:
    case BPF_ALU | BPF_RSH | BPF_X:
    case BPF_ALU | BPF_NEG:
    case BPF_MISC | BPF_TAX:
    case BPF_MISC | BPF_TXA:
    case BPF_JMP | BPF_JA:
    case BPF_JMP | BPF_JEQ | BPF_K:
    case BPF_JMP | BPF_JEQ | BPF_X:
    case BPF_JMP | BPF_JGE | BPF_K:
    case BPF_JMP | BPF_JGE | BPF_X:
    case BPF_JMP | BPF_JGT | BPF_K:
    case BPF_JMP | BPF_JGT | BPF_X:
    case BPF_JMP | BPF_JSET | BPF_K:
    case BPF_JMP | BPF_JSET | BPF_X:
      return true;
    default:
      return false;
  }
}

bool IsMemoryLoad(uint16_t code) {
  return code == (BPF_LD | BPF_MEM) || code == (BPF_LDX | BPF_MEM);
}

bool IsMemoryStore(uint16_t code) { return code == BPF_ST || code == BPF_STX; }

bool IsJump(uint16_t code) { return BPF_CLASS(code) == BPF_JMP; }

bool IsAlways(uint16_t code) { return code == (BPF_JMP | BPF_JA); }

bool IsReturn(uint16_t code) { return BPF_CLASS(code) == BPF_RET; }

// What is wrong with an instruction that has `after` instructions behind it; null if nothing is.
const char* FindFault(const sock_filter& instruction, size_t after) {
  uint16_t code = instruction.code;
  uint32_t k = instruction.k;
  if (!IsKnownOpcode(code)) return "opcode that seccomp does not take";
  if (code == (BPF_LD | BPF_W | BPF_ABS) && (k >= sizeof(seccomp_data) || k % 4 != 0)) {
    return "load outside of seccomp_data or not aligned";
  }
  if (code == (BPF_ALU | BPF_DIV | BPF_K) && k == 0) return "division by zero";
  bool shifts = code == (BPF_ALU | BPF_LSH | BPF_K) || code == (BPF_ALU | BPF_RSH | BPF_K);
  if (shifts && k >= 32) return "shift by 32 or more";
  if ((IsMemoryLoad(code) || IsMemoryStore(code)) && k >= BPF_MEMWORDS) {
    return "scratch memory cell that does not exist";
  }
  if (IsAlways(code) && k >= after) return "jump out of the program";
  if (IsJump(code) && !IsAlways(code) && (instruction.jt >= after || instruction.jf >= after)) {
    return "jump out of the program";
  }
  if (after == 0 && !IsReturn(code)) return "last instruction is not a return";
  return nullptr;
}

// The first load from a scratch memory cell that some path to it has not written, else `length`:
// check_load_and_stores (net/core/filter.c). All jumps go forward and inside the program.
size_t FindUnwrittenLoad(const sock_filter* program, size_t length) {
  static_assert(BPF_MEMWORDS == 16, "one bit a cell");
  uint16_t written_at[BPF_MAXINSNS];  // on every jump to the instruction
  memset(written_at, 0xff, length * sizeof(written_at[0]));
  uint16_t written = 0;
  for (size_t i = 0; i < length; i++) {
    const sock_filter& instruction = program[i];
    written &= written_at[i];
    if (IsMemoryStore(instruction.code)) {
      written = static_cast<uint16_t>(written | 1u << instruction.k);
    } else if (IsMemoryLoad(instruction.code)) {
      if ((written >> instruction.k & 1) == 0) return i;
    } else if (IsAlways(instruction.code)) {
      written_at[i + 1 + instruction.k] &= written;
      written = UINT16_MAX;
    } else if (IsJump(instruction.code)) {
      written_at[i + 1 + instruction.jt] &= written;
      written_at[i + 1 + instruction.jf] &= written;
      written = UINT16_MAX;
    }
  }
  return length;
}

uint32_t LoadWord(const seccomp_data& data, uint32_t offset) {
  uint32_t word;
  memcpy(&word, reinterpret_cast<const char*>(&data) + offset, sizeof(word));
  return word;
}

bool Compare(uint16_t code, uint32_t a, uint32_t operand) {
  switch (BPF_OP(code)) {
    case BPF_JEQ:
      return a == operand;
    case BPF_JGT:
      return a > operand;
    case BPF_JGE:
      return a >= operand;
    default:
      return (a & operand) != 0;
  }
}

// `operand` is not 0 for BPF_DIV.
uint32_t Calculate(uint16_t code, uint32_t a, uint32_t operand) {
  switch (BPF_OP(code)) {
    case BPF_ADD:
      return a + operand;
    case BPF_SUB:
      return a - operand;
    case BPF_MUL:
      return a * operand;
    case BPF_DIV:
      return a / operand;
    case BPF_AND:
      return a & operand;
    case BPF_OR:
      return a | operand;
    case BPF_XOR:
      return a ^ operand;
    // By X the distance may be 32 or more; ___bpf_prog_run (kernel/bpf/core.c) takes it modulo 32.
    case BPF_LSH:
      return a << (operand & 31);
    case BPF_RSH:
      return a >> (operand & 31);
    default:
      return ~a + 1;  // BPF_NEG
  }
}

// The registers and memory of the machine, and one instruction after the other. Both registers
// start as 0: bpf_convert_filter (net/core/filter.c) clears them.
class Machine {
 public:
  Machine(const sock_filter* program, const seccomp_data& data) : program_(program), data_(data) {}

  Evaluation Run() {
    size_t executed = 0;
    while (true) {
      const sock_filter& instruction = program_[next_++];
      executed++;
      if (instruction.code == (BPF_RET | BPF_K)) return {instruction.k, executed};
      if (instruction.code == (BPF_RET | BPF_A)) return {a_, executed};
      // Division by a zero in X ends the program with 0, SECCOMP_RET_KILL_THREAD:
      // bpf_convert_filter.
      if (instruction.code == (BPF_ALU | BPF_DIV | BPF_X) && x_ == 0) return {0, executed};
      Execute(instruction);
    }
  }

 private:
  void Execute(const sock_filter& instruction) {
    uint32_t operand = BPF_SRC(instruction.code) == BPF_X ? x_ : instruction.k;
    switch (BPF_CLASS(instruction.code)) {
      case BPF_LD:
        a_ = Load(instruction);
        break;
      case BPF_LDX:
        x_ = Load(instruction);
        break;
      case BPF_ST:
        memory_[instruction.k] = a_;
        break;
      case BPF_STX:
        memory_[instruction.k] = x_;
        break;
      case BPF_ALU:
        a_ = Calculate(instruction.code, a_, operand);
        break;
      case BPF_JMP:
        if (IsAlways(instruction.code)) {
          next_ += instruction.k;
        } else {
          next_ += Compare(instruction.code, a_, operand) ? instruction.jt : instruction.jf;
        }
        break;
      default:  // BPF_MISC
        if (instruction.code == (BPF_MISC | BPF_TAX)) {
          x_ = a_;
        } else {
          a_ = x_;
        }
    }
  }

  uint32_t Load(const sock_filter& instruction) const {
    switch (BPF_MODE(instruction.code)) {
      case BPF_ABS:
        return LoadWord(data_, instruction.k);
      case BPF_MEM:
        return memory_[instruction.k];
      case BPF_LEN:
        return sizeof(seccomp_data);
      default:
        return instruction.k;  // BPF_IMM
    }
  }

  const sock_filter* program_;
  const seccomp_data& data_;
  size_t next_ = 0;
  uint32_t a_ = 0;
  uint32_t x_ = 0;
  uint32_t memory_[BPF_MEMWORDS] = {};
};

}  // namespace

bool ValidateProgram(const sock_filter* program, size_t length, ProgramFault* fault) {
  if (length == 0 || length > BPF_MAXINSNS) {
    *fault = {0, "no instructions, or more than 4096"};
    return false;
  }
  for (size_t i = 0; i < length; i++) {
    const char* reason = FindFault(program[i], length - 1 - i);
    if (reason != nullptr) {
      *fault = {i, reason};
      return false;
    }
  }
  size_t unwritten = FindUnwrittenLoad(program, length);
  if (unwritten != length) {
    *fault = {unwritten, "load from scratch memory that was not written"};
    return false;
  }
  return true;
}

Evaluation Evaluate(const sock_filter* program, const seccomp_data& data) {
  return Machine(program, data).Run();
}

bool IsConstantAllow(const sock_filter* program, uint32_t audit_arch, uint32_t number) {
  uint32_t a = 0;
  for (size_t next = 0;;) {
    const sock_filter& instruction = program[next++];
    switch (instruction.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        if (instruction.k == offsetof(seccomp_data, nr)) {
          a = number;
        } else if (instruction.k == offsetof(seccomp_data, arch)) {
          a = audit_arch;
        } else {
          return false;  // differs from call to call
        }
        break;
      case BPF_RET | BPF_K:
        return instruction.k == SECCOMP_RET_ALLOW;
      case BPF_JMP | BPF_JA:
        next += instruction.k;
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
      case BPF_JMP | BPF_JGE | BPF_K:
      case BPF_JMP | BPF_JGT | BPF_K:
      case BPF_JMP | BPF_JSET | BPF_K:
        next += Compare(instruction.code, a, instruction.k) ? instruction.jt : instruction.jf;
        break;
      case BPF_ALU | BPF_AND | BPF_K:
        a &= instruction.k;
        break;
      default:
        return false;  // the kernel emulates nothing else
    }
  }
}

}  // namespace seccomp_ts
