#include "hooks/references/holders.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

#include "hooks/compat/world.h"
#include "hooks/references/steps.h"
#include "hooks/references/text.h"
#include "hooks/references/walk.h"

namespace memtrace::references {

namespace {

Link link_to(PyObject* object, Step step) {
  return {std::move(step.kind), std::move(step.name), type_name(Py_TYPE(object)), object_name(object),
          reinterpret_cast<std::uintptr_t>(object)};
}

// Writes the links of one chain, at most so many.
class Writer {
 public:
  Writer(Path path, std::size_t longest) : path_(path), longest_(longest) {}

  void add(Step step) {
    at_ += step.objects;
    chain_.links.push_back(link_to(path_[at_ - 1], std::move(step)));
  }

  // From the objects that the path has been followed to up to its end.
  void follow() {
    const std::size_t tail = longest_ - longest_ / 2;
    while (at_ < path_.size()) {
      const std::size_t left = path_.size() - at_;
      if (chain_.skipped == 0 && chain_.links.size() >= longest_ / 2 && left > 2 * tail + 1) {
        chain_.head = chain_.links.size();
        chain_.skipped = left - tail;
        at_ = path_.size() - tail;
      }
      add(step_from(path_[at_ - 1], path_.subspan(at_)));
    }
  }

  void skip_first() { at_ = 1; }
  void name_root(std::string kind, std::string name) {
    chain_.root_kind = std::move(kind);
    chain_.root_name = std::move(name);
  }
  Chain take() { return std::move(chain_); }

 private:
  Path path_;
  std::size_t longest_;
  std::size_t at_ = 0;  // objects of the path that are behind
  Chain chain_;
};

// The path begins with what the root holds.
Chain describe(const Root& root, bool is_callers, Path path, std::size_t longest) {
  Writer writer(path, longest);
  writer.name_root(is_callers && root.kind == Root::Kind::kFrame ? "caller" : kind_name(root.kind), root_name(root));
  switch (root.kind) {
    case Root::Kind::kModule:
      if (path.size() > 1) {
        writer.skip_first();
      } else {
        writer.name_root("module", "sys");
        writer.add({"entry of modules", key_text(root.module)});
      }
      break;
    case Root::Kind::kFrame:
      writer.add(step_from(root.frame, path));
      break;
    case Root::Kind::kThread:
      writer.add({root.what, ""});
      break;
    default:
      writer.add({"reference", ""});
  }
  writer.follow();
  return writer.take();
}

Chain describe_cycle(std::vector<PyObject*> objects, std::size_t longest) {
  objects.push_back(objects.front());
  Writer writer(objects, longest);
  writer.name_root(kind_name(Root::Kind::kCycle), "");
  writer.skip_first();
  writer.follow();
  return writer.take();
}

Chain describe_garbage(PyObject* holder, PyObject* target, std::size_t longest) {
  PyObject* const path[] = {holder, target};
  Writer writer(path, longest);
  writer.name_root(kind_name(Root::Kind::kCycle), "");
  writer.add({"garbage", ""});
  writer.follow();
  return writer.take();
}

std::vector<Chain> chains_to(PyObject* target, const Walk& walk, const Question& question) {
  const std::uint32_t number = walk.number_of(target);
  std::vector<Walk::Holder> holders;
  for (const Walk::Holder& holder : walk.holders())
    if (holder.target == number) holders.push_back(holder);
  const auto turn = [](const Walk::Holder& holder) { return holder.turn; };
  std::ranges::stable_sort(holders, {}, turn);

  std::vector<Chain> chains;
  const auto add = [&](const Walk::Holder& holder) {
    if (chains.size() >= question.limit || walk.passes(holder.from, number)) return;
    const std::vector<PyObject*> path = walk.path(holder.from, target);
    const bool is_callers = holder.turn == Walk::Turn::kCaller;
    chains.push_back(describe(walk.root(holder.from, target), is_callers, path, question.longest));
  };
  const auto callers = std::ranges::find(holders, Walk::Turn::kCaller, turn);
  std::for_each(holders.begin(), callers, add);
  if (chains.empty()) {
    if (std::vector<PyObject*> objects = walk.cycle(target); !objects.empty()) {
      chains.push_back(describe_cycle(std::move(objects), question.longest));
    } else if (PyObject* const holder = walk.unreached_holder(number)) {
      chains.push_back(describe_garbage(holder, target, question.longest));
    }
  }
  std::for_each(callers, holders.end(), add);
  return chains;
}

}  // namespace

std::vector<std::vector<Chain>> find_holders(const Question& question) {
  std::vector<std::vector<Chain>> found;
  std::exception_ptr failure;
  compat::with_world_stopped([&] {
    try {
      const Walk walk(question.targets, question.own, question.own_frames);
      for (PyObject* const target : question.targets) found.push_back(chains_to(target, walk, question));
    } catch (...) {
      failure = std::current_exception();
    }
  });
  if (failure) std::rethrow_exception(failure);
  return found;
}

}  // namespace memtrace::references
