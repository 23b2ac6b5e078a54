// The pass that turns "these values lead here, those there" into a tree of tests. System call
// numbers and argument words both go through it, so a better tree here is better everywhere.
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
};

// Appends a run, as part of the last one if they lead to the same place.
void AppendRun(std::vector<Run>* runs, const Run& run);

// The tree of tests that leads every value of `runs` to its target. The runs are sorted; a value
// between two of them never occurs and may go either way.
NodeId BuildDispatch(DecisionGraph* graph, Operand operand, const std::vector<Run>& runs);

}  // namespace seccomp_ts

#endif  // SECCOMP_TS_NATIVE_COMPILER_DISPATCH_H_
