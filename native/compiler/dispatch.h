// The passes that turn "these values lead here, those there" into a tree of tests: one for argument
// words, of which nothing is known but the rules, and one for system call numbers, of which it is
// known how often a Node program makes them.
#ifndef SECCOMP_TS_NATIVE_COMPILER_DISPATCH_H_
#define SECCOMP_TS_NATIVE_COMPILER_DISPATCH_H_

#include <cstdint>
#include <vector>

#include "decision_graph.h"

namespace seccomp_ts {

// The values first..last lead to `target`.
struct Run {
  uint32_t first;
  uint32_t last;
  NodeId target;

  // How often one of the values occurs, beside other runs.
  uint32_t weight = 1;
  // The value that occurs most, and how often it does; none if the weight is 0.
  uint32_t peak = 0;
  uint32_t peak_weight = 0;
};

// Appends a run, as part of the last one if they lead to the same place.
void AppendRun(std::vector<Run>* runs, const Run& run);

// The tree of tests that leads every value of `runs` to its target. The runs are sorted; a value
// between two of them never occurs and may go either way.
NodeId BuildDispatch(DecisionGraph* graph, Operand operand, const std::vector<Run>& runs);

// Gives the runs of system call numbers their weights (call_frequency.h).
void WeighRuns(const DecisionGraph& graph, uint32_t audit_arch, std::vector<Run>* runs);

// The same as BuildDispatch for system call numbers, by weight: as few tests as possible on the way
// to what is called most, and not many more on the longest way than there have to be.
NodeId BuildNumberDispatch(DecisionGraph* graph, const std::vector<Run>& runs);

}  // namespace seccomp_ts

#endif  // SECCOMP_TS_NATIVE_COMPILER_DISPATCH_H_
