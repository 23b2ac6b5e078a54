#include "compiler.h"

#include <linux/bpf_common.h>

#include <algorithm>
#include <utility>

#include "assembler.h"
#include "decision_graph.h"
#include "dispatch.h"
#include "rule_matcher.h"

namespace seccomp_ts {
namespace {

constexpr size_t kMaxContributors = 8;

// How much larger than the rules tried in turn a faster program may be: as fast as possible first,
// and as small as possible for rules that would not fit otherwise.
constexpr size_t kGrowths[] = {4, 1, 0};

struct SyscallNode {
  uint32_t audit_arch;
  uint32_t number;
  NodeId node;
};

// Builds the graph of a whole rule set and remembers where each system call's part of it begins.
class GraphBuilder {
 public:
  explicit GraphBuilder(size_t growth) : matcher_(&graph_, growth) {}

  // The first architecture listed is tested first: it is the one that the calls come from.
  NodeId Build(const RuleSet& rules) {
    NodeId node = graph_.Return(rules.foreign_arch_action);
    for (size_t i = rules.arches.size(); i-- > 0;) {
      const ArchRules& arch = rules.arches[i];
      node = graph_.Equal(kArchOperand, arch.audit_arch, BuildArch(arch), node);
    }
    return node;
  }

  const DecisionGraph& graph() const { return graph_; }
  const std::vector<SyscallNode>& syscalls() const { return syscalls_; }

 private:
  NodeId BuildArch(const ArchRules& arch) {
    std::vector<Run> runs = NumberRuns(arch);
    WeighRuns(graph_, arch.audit_arch, &runs);
    return BuildNumberDispatch(&graph_, runs);
  }

  // Neighbouring numbers with the same outcome are one run, whether they have rules, lie in a range
  // or are in neither list.
  std::vector<Run> NumberRuns(const ArchRules& arch) {
    NodeId fallback = graph_.Return(arch.default_action);
    std::vector<Run> runs;
    uint64_t next = 0;  // the first number without a run
    auto append = [&](uint32_t first, uint32_t last, NodeId target) {
      if (next < first) AppendRun(&runs, {static_cast<uint32_t>(next), first - 1, fallback});
      AppendRun(&runs, {first, last, target});
      next = uint64_t{last} + 1;
    };
    auto range = arch.ranges.begin();
    for (const SyscallRules& syscall : arch.syscalls) {
      for (; range != arch.ranges.end() && range->first < syscall.number; ++range) {
        append(range->first, range->last, graph_.Return(range->action));
      }
      NodeId node = matcher_.Match(syscall);
      append(syscall.number, syscall.number, node);
      syscalls_.push_back({arch.audit_arch, syscall.number, node});
    }
    for (; range != arch.ranges.end(); ++range) {
      append(range->first, range->last, graph_.Return(range->action));
    }
    if (next <= UINT32_MAX) {
      AppendRun(&runs, {static_cast<uint32_t>(next), UINT32_MAX, fallback});
    }
    return runs;
  }

  DecisionGraph graph_;
  RuleMatcher matcher_;
  std::vector<SyscallNode> syscalls_;
};

// Counts the instructions below a node, without the RETs that everything shares.
class SizeCounter {
 public:
  SizeCounter(const DecisionGraph& graph, const std::vector<Block>& blocks)
      : graph_(graph), blocks_(blocks), seen_in_(blocks.size(), 0) {}

  size_t Count(NodeId root) {
    size_t size = 0;
    round_++;
    std::vector<NodeId> stack = {root};
    while (!stack.empty()) {
      NodeId id = stack.back();
      stack.pop_back();
      const Node& node = graph_[id];
      if (node.IsReturn() || seen_in_[id] == round_) continue;
      seen_in_[id] = round_;
      size += blocks_[id].Size();
      stack.push_back(node.then);
      stack.push_back(node.otherwise);
    }
    return size;
  }

 private:
  const DecisionGraph& graph_;
  const std::vector<Block>& blocks_;
  std::vector<uint32_t> seen_in_;  // the last round that met the node
  uint32_t round_ = 0;
};

std::vector<Contributor> LargestContributors(const GraphBuilder& builder,
                                             const std::vector<Block>& blocks) {
  SizeCounter counter(builder.graph(), blocks);
  std::vector<Contributor> largest;
  for (const SyscallNode& syscall : builder.syscalls()) {
    size_t size = counter.Count(syscall.node);
    if (size != 0) largest.push_back({syscall.audit_arch, syscall.number, size});
  }
  std::sort(largest.begin(), largest.end(), [](const Contributor& a, const Contributor& b) {
    if (a.instructions != b.instructions) return a.instructions > b.instructions;
    return a.audit_arch != b.audit_arch ? a.audit_arch < b.audit_arch : a.number < b.number;
  });
  if (largest.size() > kMaxContributors) largest.resize(kMaxContributors);
  return largest;
}

}  // namespace

CompileResult Compile(const RuleSet& rules) {
  CompileResult result;
  for (size_t growth : kGrowths) {
    GraphBuilder builder(growth);
    NodeId root = builder.Build(rules);
    std::vector<Block> blocks = PlanBlocks(builder.graph(), root);
    std::vector<sock_filter> program = Assemble(builder.graph(), blocks, root);
    if (program.size() <= BPF_MAXINSNS) {
      CompileResult ok;
      ok.instructions = program.size();
      ok.program = std::move(program);
      return ok;
    }
    if (result.instructions == 0 || program.size() < result.instructions) {
      result.status = CompileResult::Status::kTooLarge;
      result.instructions = program.size();
      result.largest = LargestContributors(builder, blocks);
    }
  }
  return result;
}

}  // namespace seccomp_ts
