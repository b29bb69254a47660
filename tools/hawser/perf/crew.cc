#include "perf/crew.h"

#include <fmt/core.h>

#include <memory>

namespace hawser {

Result<std::unique_ptr<Crew>> Crew::make(int members) {
  std::unique_ptr<Crew> crew(new Crew(members));
  HAWSER_TRY(crew->start());
  return crew;
}

Status Crew::start() {
  for (int member = 1; member < members_; ++member) {
    HAWSER_ASSIGN(Thread thread, Thread::start(fmt::format("hw-perf{}", member),
                                               [this, member] { work(member); }));
    threads_.push_back(std::move(thread));
  }
  return {};
}

Crew::~Crew() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  called_.notify_all();
  threads_.clear();  // joined
}

Status Crew::run(const Task& task) {
  {
    const std::lock_guard lock(mutex_);
    task_ = &task;
    error_.reset();
    busy_ = members_;
    ++round_;
  }
  called_.notify_all();
  finish(task(0));
  std::unique_lock lock(mutex_);
  done_.wait(lock, [this] { return busy_ == 0; });
  if (error_) return *error_;
  return {};
}

void Crew::finish(Status done) {
  const std::lock_guard lock(mutex_);
  if (!done.ok() && !error_) error_ = done.error();
  if (--busy_ == 0) done_.notify_all();
}

void Crew::work(int member) {
  unsigned seen = 0;
  while (true) {
    const Task* task = nullptr;
    {
      std::unique_lock lock(mutex_);
      called_.wait(lock, [&] { return ending_ || round_ != seen; });
      if (ending_) return;
      seen = round_;
      task = task_;
    }
    finish((*task)(member));
  }
}

}  // namespace hawser
