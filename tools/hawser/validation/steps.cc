#include "validation/steps.h"

namespace hawser {
namespace {

StepHook step_hook = nullptr;  // set while there is one thread

}  // namespace

void set_step_hook(StepHook hook) {
  step_hook = hook;
}

void reached(std::string_view step) {
  if (step_hook != nullptr) step_hook(step);
}

}  // namespace hawser
