#include "../compiler/assembler.h"

#include <linux/bpf_common.h>

#include <cstring>
#include <vector>

#include "../compiler/interpreter.h"
#include "check.h"
#include "rules_builder.h"

namespace seccomp_ts {
namespace {

using Program = std::vector<sock_filter>;

Program AssembleOk(const DecisionGraph& graph, NodeId root) {
  Program program = Assemble(graph, PlanBlocks(graph, root), root);
  ProgramFault fault;
  if (CHECK(ValidateProgram(program.data(), program.size(), &fault))) return program;
  return {{BPF_RET | BPF_K, 0, 0, 0xdeadbeef}};
}

// What the graph says, without registers.
uint32_t Walk(const DecisionGraph& graph, NodeId id, const seccomp_data& call) {
  while (!graph[id].IsReturn()) {
    const Node& node = graph[id];
    uint32_t word;
    memcpy(&word, reinterpret_cast<const char*>(&call) + node.operand.offset, sizeof(word));
    word &= node.operand.mask;
    bool holds = node.kind == Node::Kind::kEqual     ? word == node.value
                 : node.kind == Node::Kind::kAtLeast ? word >= node.value
                                                     : (word & node.value) != 0;
    id = holds ? node.then : node.otherwise;
  }
  return graph[id].value;
}

size_t CountOf(const Program& program, int code) {
  size_t count = 0;
  for (const sock_filter& instruction : program) count += instruction.code == code ? 1 : 0;
  return count;
}

constexpr int kLoad = BPF_LD | BPF_W | BPF_ABS;
constexpr int kAnd = BPF_ALU | BPF_AND | BPF_K;
constexpr int kBridge = BPF_JMP | BPF_JA;
constexpr Operand kLow16 = {LowWord(0), 0xffff};

TEST(AWordIsLoadedOnceOnAPath) {
  DecisionGraph graph;
  NodeId node = graph.Return(0);
  for (uint32_t value = 1; value < 20; value++) {
    node = graph.Equal({LowWord(0), kAllBits}, value * 3, graph.Return(value), node);
  }
  Program program = AssembleOk(graph, node);
  CHECK_EQ(CountOf(program, kLoad), 1u);
  CHECK_EQ(program.size(), 1u + 19 + 20);
}

TEST(ASharedNodeIsEnteredBehindItsLoadByThoseWhoHoldTheWord) {
  DecisionGraph graph;
  NodeId shared = graph.Equal({LowWord(0), kAllBits}, 7, graph.Return(1), graph.Return(2));
  NodeId holds = graph.Equal({LowWord(0), kAllBits}, 9, graph.Return(3), shared);
  NodeId root = graph.Equal(kNumberOperand, 5, holds, shared);
  Program program = AssembleOk(graph, root);
  CHECK_EQ(CountOf(program, kLoad), 3u);
  CHECK_EQ(Evaluate(program.data(), Call(kX64, 5, {7})).executed, 6u);
  CHECK_EQ(Evaluate(program.data(), Call(kX64, 5, {7})).action, 1u);
  CHECK_EQ(Evaluate(program.data(), Call(kX64, 4, {7})).action, 1u);
  CHECK_EQ(Evaluate(program.data(), Call(kX64, 7, {4})).action, 2u);
}

TEST(AMaskedWordIsMaskedFurtherButNeverBack) {
  DecisionGraph graph;
  NodeId byte = graph.Equal({LowWord(0), 0xff}, 7, graph.Return(1), graph.Return(2));
  NodeId narrowing = graph.Equal(kLow16, 0x0109, graph.Return(3), byte);
  Program program = AssembleOk(graph, narrowing);
  CHECK_EQ(CountOf(program, kLoad), 1u);
  CHECK_EQ(CountOf(program, kAnd), 2u);
  NodeId half = graph.Equal(kLow16, 0x0107, graph.Return(1), graph.Return(2));
  NodeId widening = graph.Equal({LowWord(0), 0xff}, 9, graph.Return(3), half);
  program = AssembleOk(graph, widening);
  CHECK_EQ(CountOf(program, kLoad), 2u);
  CHECK_EQ(Evaluate(program.data(), Call(kX64, 0, {0x50107})).action, 1u);
}

TEST(JsetPassesOnWhatAllWhoReachItHold) {
  DecisionGraph graph;
  NodeId after = graph.Equal(kLow16, 300, graph.Return(1), graph.Return(2));
  NodeId jset = graph.AtLeast(kLow16, 256, after, graph.Return(3));
  CHECK(graph[jset].kind == Node::Kind::kAnyBit);
  NodeId masked = graph.Equal(kLow16, 5, graph.Return(4), jset);

  Program program = AssembleOk(graph, masked);
  CHECK_EQ(CountOf(program, kAnd), 1u);
  CHECK_EQ(CountOf(program, kLoad), 1u);

  // Reached with the number in the accumulator as well, it can promise nothing of the mask.
  NodeId root = graph.Equal(kNumberOperand, 1, masked, jset);
  program = AssembleOk(graph, root);
  for (uint32_t number : {0u, 1u}) {
    for (uint64_t value : {5u, 255u, 256u, 300u, 0x1012cu, 0x10005u, 0x10100u}) {
      seccomp_data call = Call(kX64, number, {value});
      CHECK_EQ(Evaluate(program.data(), call).action, Walk(graph, root, call));
    }
  }
}

// Random graphs: words and masks follow each other in every order, and successors lie anywhere.
void CheckRandomGraph(uint32_t seed, uint32_t nodes) {
  uint32_t state = seed;
  auto below = [&state](uint32_t bound) {
    state = state * 1664525 + 1013904223;
    return static_cast<uint32_t>(uint64_t{state} * bound >> 32);
  };
  constexpr uint32_t kOffsets[] = {0, LowWord(0), LowWord(0), LowWord(0), HighWord(0), LowWord(5)};
  constexpr uint32_t kMasks[] = {kAllBits, kAllBits, 0xffff, 0xff, 0x0f, 0xf0};
  constexpr uint32_t kValues[] = {0,    1,    2,     7,      8,      0x10,   0x20,
                                  0x33, 0xff, 0x100, 0x8000, 0xffff, 0x10007};
  DecisionGraph graph;
  std::vector<NodeId> ids;
  for (uint32_t action = 0; action < 6; action++) ids.push_back(graph.Return(action));
  while (ids.size() < nodes) {
    Operand operand = {kOffsets[below(6)], kMasks[below(6)]};
    uint32_t value = kValues[below(13)];
    // Mostly what was made lately, so that paths get long.
    auto pick = [&] {
      uint32_t recent = below(4) != 0 && ids.size() > 16 ? 16 : static_cast<uint32_t>(ids.size());
      return ids[ids.size() - 1 - below(recent)];
    };
    NodeId then = pick();
    NodeId otherwise = pick();
    ids.push_back(below(2) != 0 ? graph.Equal(operand, value, then, otherwise)
                                : graph.AtLeast(operand, value, then, otherwise));
  }
  Program program = AssembleOk(graph, ids.back());
  for (int i = 0; i < 200; i++) {
    auto word = [&] { return uint64_t{kValues[below(13)] ^ (below(3) == 0 ? below(0x20000) : 0)}; };
    seccomp_data call = Call(kX64, static_cast<uint32_t>(word()),
                             {word() | word() << 32, 0, 0, 0, 0, word() | word() << 32});
    if (!CHECK_EQ(Evaluate(program.data(), call).action, Walk(graph, ids.back(), call))) return;
  }
}

TEST(RandomGraphsKeepTheirMeaning) {
  for (uint32_t seed = 1; seed <= 300; seed++) CheckRandomGraph(seed, 10 + seed % 40);
}

TEST(RandomGraphsKeepTheirMeaningAcrossLongJumps) {
  for (uint32_t seed = 1; seed <= 20; seed++) CheckRandomGraph(seed, 1200);
}

// The JA that long jumps need are shared, and found again by those who come later.
TEST(BridgesAreShared) {
  DecisionGraph graph;
  NodeId far = graph.Equal({LowWord(1), kAllBits}, 1, graph.Return(1), graph.Return(2));
  NodeId node = graph.Return(3);
  for (uint32_t value = 0; value < 600; value++) {
    node = graph.Equal({LowWord(0), kAllBits}, value, far, node);
  }
  Program program = AssembleOk(graph, node);
  CHECK_EQ(CountOf(program, kBridge), 2u);
}

}  // namespace
}  // namespace seccomp_ts
